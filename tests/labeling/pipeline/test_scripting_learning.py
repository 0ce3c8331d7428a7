"""A script that fine-tunes, from its job to a specialist: on labels of people, and never on the audit frame."""

from uuid import uuid4

import pytest
from django.urls import reverse

from annotator_core.fakes.openai_script import say
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.learning import split_rows
from annotator_core.scripts.writing import write_template
from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import ReviewItem, Verdict, VerdictMode
from labeling.specialists.engine import predict
from labeling.specialists.models import ScriptKind
from labeling.specialists.queries import newest_trial
from tests.annotator_core.conftest import make_classifier
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.specialists.scripts import add_transformer, ask_for, ask_server, do, let_vote, stats_of

pytestmark = pytest.mark.django_db
FRAMED, TOGETHER, ALONE = 8, 3, 24
TEXTS = [f"good service {number}" for number in range(FRAMED + TOGETHER + ALONE)]
TELLING = """    torch.manual_seed(0)
    print(*[f"given: {text}" for text in texts], sep=chr(10))
"""
BOLD = (
    write_template(Kind.FINE_TUNE)
    .replace("2e-5", "1e-2")
    .replace("EPOCHS = 3", "EPOCHS = 30")
    .replace("    torch.manual_seed(0)\n", TELLING)
)
"""The template with so large steps that a model of two layers learns by heart; it tells what it is given."""
NOISE = BOLD.replace("1e-2", "1e-9")


@pytest.fixture
def version(settings, tmp_path, needs_box):
    settings.MODEL_STORE = str(tmp_path / "store")
    settings.LEASE_S = 600  # renewed from another connection, which does not see a test's own rows
    project = make_project(make_user(is_superuser=True))
    make_dataset(project, TEXTS)
    return add_transformer(project, make_classifier(tmp_path / "tiny"))


@pytest.fixture
def alone(version):
    """The texts that may be learned from. All are labeled, also the audit's and three that went with others."""
    project = version.specialist.project
    dataset = project.datasets.get()
    samples = list(dataset.samples.order_by("text_hash"))
    dataset.frame_until = samples[FRAMED - 1].text_hash
    dataset.save(update_fields=["frame_until"])
    label_as_positive(project, samples[:FRAMED] + samples[FRAMED + TOGETHER :], VerdictMode.SINGLE)
    label_as_positive(project, samples[FRAMED : FRAMED + TOGETHER], VerdictMode.BULK)
    return [one.text for one in samples[FRAMED + TOGETHER :]]


def label_as_positive(project, samples, mode):
    class_id = project.classes.get(name="positive").pk
    for sample in samples:
        item = ReviewItem.objects.create(
            project=project, dataset=sample.dataset, sample=sample, text_hash=sample.text_hash, state="decided"
        )
        verdict = Verdict.objects.create(
            item=item, user=project.created_by, label_class_id=class_id, client_id=uuid4(), mode=mode
        )
        set_labels(rows=[LabelRow(sample.pk, class_id, verdict_id=verdict.pk)], source=LabelSource.HUMAN)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_training_is_tried_accepted_and_becomes_a_specialist(client, settings, version, alone):
    script, _server = ask_server(settings, version, ScriptKind.FINE_TUNE, steps=[say(f"```python\n{BOLD}```")])
    found = script.comparison
    assert (script.state, found["problem"], found["passes"]) == ("tried", "", True), (script.error, found)
    learned, judging = split_rows(alone)
    given = [line for line in found["log"].splitlines() if line.startswith("given: ")]
    assert given == [f"given: {alone[row]}" for row in learned]
    assert (found["rows"], found["lesson"]["learned"], found["lesson"]["script"]) == (len(judging), len(learned), 12)
    project = version.specialist.project
    client.force_login(project.created_by)
    shown = dict(stats_of(client.get(reverse("scripts:detail", args=[project.slug, script.number]))))
    assert (shown["Learned from"], shown["Judged by"], shown["Right by the script"]) == ("12", "12", "12")
    assert shown["Right before"] == str(found["lesson"]["before"])
    mine = let_vote(script)
    assert (mine.backend, mine.weights_hash, newest_trial(mine).error) == ("torch", found["weights_hash"], "")
    assert mine.weights_hash != version.weights_hash
    assert predict(mine, alone).probs.argmax(axis=1).tolist() == [2] * len(alone)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_training_that_learned_nothing_is_shown_and_leaves_no_weights(client, settings, version, alone):
    script, _server = ask_server(settings, version, ScriptKind.FINE_TUNE, steps=[say(f"```python\n{NOISE}```")])
    found = script.comparison
    assert (script.state, found["problem"], found["passes"], found["weights_hash"]) == ("tried", "", False, "")
    assert found["lesson"]["script"] == found["lesson"]["before"]
    project = version.specialist.project
    client.force_login(project.created_by)
    page = client.get(reverse("scripts:detail", args=[project.slug, script.number])).content.decode()
    assert "Learned too little" in page
    assert reverse("scripts:act", args=[project.slug, script.number, "accept"]) not in page


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nineteen_labels_are_too_few(version, alone):
    sample = version.specialist.project.datasets.get().samples.order_by("-text_hash")
    for one in sample[: ALONE - 19]:
        one.labels.update(is_current=False)
    script = do(ask_for(version, ScriptKind.FINE_TUNE))
    assert (script.state, "label at least 20 first" in script.error) == ("failed", True)
