"""The script of a run, downloaded and run where neither the site nor the engine can be imported."""

import csv
import subprocess
import sys

import pytest
from django.urls import reverse

from annotator_core.demo import CLASSES, feedback_path, label_maps, specialist_folders
from annotator_core.fakes.openai_answers import find_item
from annotator_core.types import ABSTAIN
from labeling.exports.standalone import plan_of
from labeling.labels.models import Consensus, Label, Vote
from labeling.runs.actions import ask_renewal, start_run
from labeling.runs.models import Aggregator, AnswerUse, Mode, PoolGeneration
from labeling.runs.policies import Policy
from labeling.runs.queries import pool_of
from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.models import Source, Specialist, SpecialistVersion
from labeling.specialists.queries import newest_version
from tests.labeling.asking import DOLLAR, make_connection, serving
from tests.labeling.exports.exporting import export_file
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.generations import answer, finish, next_generation, open_items, rescale, single
from tests.labeling.pool import make_pool, work_off

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


def url(run):
    return reverse("exports:script", kwargs={"slug": run.project.slug, "number": run.number})


@pytest.fixture
def project(client, settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    settings.LEASE_S = 600  # renewed from another connection, which does not see a test's own rows
    user = make_user(is_superuser=True)
    client.force_login(user)
    return make_project(user)


def add_demo(project):
    """The demo's specialists, confirmed; each names its labels in its own way and order."""
    ids = dict(project.classes.values_list("name", "id"))
    versions = []
    for name, folder in specialist_folders().items():
        specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder), name=name)
        work_off()
        specialist.refresh_from_db()
        targets = [ids[label_maps()[name][label]] for label in specialist.model_labels]
        save_map(specialist=specialist, targets=targets, max_length=64, are_holes_confirmed=False)
        work_off()
        confirm_version(version=newest_version(specialist), by=None)
        versions.append(newest_version(specialist))
    return versions


def start(project, versions, texts, *, verifiers=(), **policy):
    policy = Policy(**{"min_agree": len(versions)} | policy)
    dataset = make_dataset(project, texts)
    run = start_run(
        project=project,
        dataset=dataset,
        versions=versions,
        policy=policy,
        by=project.created_by,
        verifiers=list(verifiers),
        cap_nano=DOLLAR if verifiers else None,
    )
    work_off()
    run.refresh_from_db()
    return run


def run_script(source, texts, folder, verdicts=b""):
    """The rows of the answer; verdicts: a CSV file that the script is given."""
    folder.mkdir(exist_ok=True)
    (folder / "run.py").write_bytes(source)
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("text",), *((text,) for text in texts)])
    command = [sys.executable, "-I", "run.py", "in.csv", "out.csv", "--device", "cpu"]
    if verdicts:
        (folder / "verdicts.csv").write_bytes(verdicts)
        command += ["--verdicts", "verdicts.csv"]
    environment = {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def facts_of(run):
    """Route, score and votes of each row, as the site stored them of the last generation."""
    found, versions = [], [member.version for member in pool_of(run)]
    for row in Consensus.objects.filter(run=run, is_current=True).select_related("sample").order_by("sample__position"):
        votes = Vote.objects.filter(sample=row.sample, version__in=versions)
        votes = votes.select_related("label_class", "version__specialist")
        named = {v.version.specialist.name: v.label_class.name if v.label_class else "abstain" for v in votes}
        found.append((row.route, row.score, named))
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_script_gives_the_votes_scores_and_routes_of_the_run(client, project, tmp_path):
    with feedback_path().open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:58]
    texts += [texts[0], " "]
    run = start(project, add_demo(project), texts, review_budget=20)
    answer = client.get(url(run))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{project.slug}-run-1.py"'
    rows = run_script(answer.content, texts, tmp_path / "script")
    assert facts_of(run) == told_by(rows)
    assert {row["route"] for row in rows} == {"accept", "review"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_after_a_round_the_script_is_the_last_generations_and_takes_verdicts_from_a_file(client, project, tmp_path):
    with feedback_path().open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:40]
    run = start(project, versions := add_demo(project), texts)
    first = facts_of(run)
    taught = relabeled(versions[0])
    next_generation(run, [taught, *versions[1:]])
    work_off(("io", "consensus"))
    run.refresh_from_db()
    ask_renewal(run=run)
    finish(run)
    assert Consensus.objects.filter(run=run, is_current=True, generation=1).count() == len(texts)
    now = facts_of(run)
    assert now != first
    rows = run_script(client.get(url(run)).content, texts, tmp_path / "script")
    assert told_by(rows) == now
    hard = [row["text"] for row in rows if row["route"] == "review"]
    quoted = hard[0].replace('"', '""')
    file = f'text,label\r\n"{quoted}",neutral\r\n'
    rows = run_script(client.get(url(run)).content, texts, tmp_path / "script", file.encode())
    assert {row["text"]: row["label"] for row in rows if row["route"] == "verify"} == {hard[0]: "neutral"}
    expected = [("verify" if text == hard[0] else fact[0], *fact[1:]) for text, fact in zip(texts, now, strict=True)]
    assert told_by(rows) == expected


def demo_rows(count):
    """Some of the demo's texts, the first of them twice, and the class of each."""
    with feedback_path().open(encoding="utf-8", newline="") as file:
        known = {row["text"]: row["gold"] for row in list(csv.DictReader(file))[:count]}
    return [*known, next(iter(known))], known


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("answer_use", [AnswerUse.REPLACE, AnswerUse.FUSE])
@pytest.mark.parametrize("mode", [Mode.LLM, Mode.LLM_THEN_HUMAN])
def test_with_its_export_a_run_by_a_language_model_is_repeated(client, project, settings, tmp_path, mode, answer_use):
    """The export is the file of verdicts, as it comes: by the model, by people, and rows that wait for a person."""
    settings.EXPORT_FOLDER = str(tmp_path / "exports")
    texts, known = demo_rows(60)
    mute = set(list(known)[::4])

    def knows_most(messages):
        text = find_item(messages)
        return "I cannot say" if text in mute else known[text]

    with serving(settings, answerer=knows_most) as server:
        connections = [make_connection(project, server)]
        run = start(
            project, add_demo(project), texts, verifiers=connections, mode=mode, answer_use=answer_use, sure_from=0.0
        )
    answer(run, project.created_by, open_items(run)[::2])
    _export, file = export_file(run.dataset)
    rows = run_script(client.get(url(run)).content, texts, tmp_path / "script", file)
    assert told_by(rows) == facts_of(run)
    assert [(row["label"], row["label_source"]) for row in rows] == labels_of(run)
    by_model = "fused" if answer_use == AnswerUse.FUSE else "verifier"
    said = {("accept", "consensus"), ("verify", by_model), ("review", "human"), ("review", "")}
    assert {(row["route"], row["label_source"]) for row in rows} == said


def labels_of(run):
    """Class and source of each row's label, both empty where it has none."""
    labels = Label.objects.filter(sample__dataset=run.dataset, is_current=True)
    found = {label.sample_id: (label.label_class.name, label.source) for label in labels.select_related("label_class")}
    return [found.get(pk, ("", "")) for pk in run.dataset.samples.order_by("position").values_list("pk", flat=True)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_under_a_certificate_the_script_routes_by_its_threshold(client, project, tmp_path):
    texts, _known = demo_rows(50)
    run = start(project, add_demo(project), texts, target_error=5.0)
    before = [fact[0] for fact in facts_of(run)]
    scores = sorted(fact[1] for fact in facts_of(run))
    rescale(run, single(0), scores[15])
    now = facts_of(finish(run))
    assert [fact[0] for fact in now] != before
    rows = run_script(client.get(url(run)).content, texts, tmp_path / "script")
    assert told_by(rows) == now
    assert {row["route"] for row in rows} == {"accept", "review"}


def relabeled(version):
    """A newer version of the specialist that means something else by its labels: a round without training."""
    fields = ("weights_hash", "backend", "model_labels", "class_ids", "max_length", "size_bytes", "confirmed_at")
    given = {name: getattr(version, name) for name in fields}
    turned = [*version.targets[1:], version.targets[0]]
    return type(version).objects.create(specialist=version.specialist, number=2, targets=turned, **given)


def told_by(rows):
    """Route, score and votes of each row, as the script wrote them."""
    votes = [dict(one.partition("@")[0].split("=") for one in row["votes"].split("; ")) for row in rows]
    scores = [pytest.approx(float(row["score"]), abs=1e-3) for row in rows]
    return list(zip([row["route"] for row in rows], scores, votes, strict=True))


def test_a_pool_that_no_script_can_carry_is_said(client, project, tmp_path):
    run = start(project, make_pool(project, tmp_path, count=2), ["one", "two"])
    page = client.get(url(run))
    assert page.status_code == 409
    assert "A standalone script cannot run fake-0, fake-1" in page.content.decode()
    page = client.get(reverse("runs:detail", args=[project.slug, run.number])).content.decode()
    assert "it runs transformers and linear models alone, not fake-0, fake-1." in page
    assert url(run) not in page


def test_the_runs_page_offers_the_script_where_it_can_run_the_pool(client, project, tmp_path):
    run = start(project, make_pool(project, tmp_path, count=2), ["one", "two"])
    SpecialistVersion.objects.update(backend="linear")
    page = client.get(reverse("runs:detail", args=[project.slug, run.number])).content.decode()
    assert url(run) in page
    SpecialistVersion.objects.filter(specialist__name="fake-1").update(backend="script")
    page = client.get(reverse("runs:detail", args=[project.slug, run.number])).content.decode()
    assert "it runs transformers and linear models alone, not fake-1." in page


def test_the_plan_is_the_newest_generations(client, project, tmp_path):
    run = start(project, make_pool(project, tmp_path, count=2), ["one", "two"], aggregator=Aggregator.RACE)
    state = {"name": "average", "n_specialists": 2, "n_classes": 3}
    PoolGeneration.objects.filter(run=run).update(aggregation=state, cut_score=0.5)
    plan = plan_of(run)
    assert (plan.combine, plan.aggregation, plan.cut) == ("average", state, (0.5, ""))
    assert plan.classes == CLASSES
    assert [voter.label_map.targets for voter in plan.voters] == [(0, 1, 2)] * 2


def test_a_label_without_a_class_abstains_and_only_first_weights_are_on_the_hub(project, tmp_path):
    versions = make_pool(project, tmp_path, count=1)
    run = start(project, versions, ["one"])
    version = versions[0]
    Specialist.objects.filter(pk=version.specialist_id).update(source=Source.HUB, location="acme/x", revision="abc")
    type(version).objects.filter(pk=version.pk).update(targets=[None, *version.targets[1:]])
    (voter,) = plan_of(run).voters
    assert (voter.hub_id, voter.revision, voter.label_map.targets) == ("acme/x", "abc", (ABSTAIN, 1, 2))
    type(version).objects.filter(pk=version.pk).update(weights_hash="0" * 64, number=2)
    assert plan_of(run).voters[0].hub_id == ""


def test_without_a_cut_there_is_no_script_yet(client, project, tmp_path):
    run = start(project, make_pool(project, tmp_path, count=2), ["one", "two"], review_budget=50)
    PoolGeneration.objects.filter(run=run).update(cut_score=None)
    page = client.get(url(run))
    assert page.status_code == 409
    assert "has not found yet which rows people see" in page.content.decode()


def test_s19_another_projects_run_has_no_script_here(client, project, tmp_path):
    other = make_project(make_user())
    assert client.get(reverse("exports:script", kwargs={"slug": project.slug, "number": 7})).status_code == 404
    run = start(other, make_pool(other, tmp_path, count=1), ["one"])
    assert client.get(url(run)).status_code == 404
    add_member(other, project.created_by)
    assert client.get(url(run)).status_code == 403
