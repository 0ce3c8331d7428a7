"""Who takes over after a round: by the gate, by a click, and back."""

import pytest

from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap
from labeling.refinement.actions import keep, promote, prune_versions, roll_back, set_source_test
from labeling.refinement.figures import read_figures
from labeling.refinement.models import ChallengerState, RoundState
from labeling.refinement.queries import source_test_of
from labeling.runs.models import GenerationOrigin
from labeling.runs.queries import current_generation, pool_of, votable_versions
from labeling.specialists.actions import save_map
from labeling.specialists.queries import newest_version
from labeling.web.errors import ActionError
from tests.labeling.factories import CLASSES, make_dataset, make_project, make_user
from tests.labeling.pool import add_fake, make_pool, own_targets
from tests.labeling.refinement.learning import (
    TEXTS,
    answer_to,
    decide_most,
    finish_round,
    learnable_run,
    make_checked,
    start,
    train_now,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def waiting(project, tmp_path):
    """A round with too few gate rows for a machine to decide."""
    return finish_round(train_now(learnable_run(project, tmp_path)))


@pytest.fixture
def promoted(project, tmp_path):
    make_checked(project)
    return finish_round(train_now(learnable_run(project, tmp_path)))


def pool_versions(run):
    return [member.version for member in pool_of(run)]


def test_with_too_few_gate_rows_the_round_waits_with_its_figures(waiting):
    challenger = waiting.challengers.first()
    assert (waiting.state, waiting.run.generation, challenger.state) == (RoundState.WAITING, 0, ChallengerState.JUDGED)
    assert (challenger.verdict, challenger.version.may_vote) == ("too_few", False)
    assert read_figures(challenger.figures).rows == waiting.decide_rows < 100


def test_a_manager_promotes_one_and_keeps_the_other(waiting):
    one, two = waiting.challengers.all()
    user = make_user()
    promote(challenger=one, by=user)
    waiting.refresh_from_db()
    assert waiting.state == RoundState.WAITING
    keep(challenger=two, by=user)
    waiting.refresh_from_db()
    one.version.refresh_from_db()
    assert (waiting.state, one.version.confirmed_by, one.version.may_vote) == (RoundState.DONE, user, True)
    assert pool_versions(waiting.run) == [one.version, two.champion]
    with pytest.raises(ActionError, match="waits for a manager"):
        keep(challenger=two, by=user)


def test_a_version_that_was_kept_can_be_promoted_later(waiting):
    one, two = waiting.challengers.all()
    for challenger in (one, two):
        keep(challenger=challenger, by=None)
    promote(challenger=two, by=None)
    assert pool_versions(waiting.run) == [one.champion, two.version]
    with pytest.raises(ActionError, match="waits or was kept"):
        promote(challenger=two, by=None)


def test_nobody_is_promoted_while_a_round_is_at_work_or_without_weights(waiting):
    run = waiting.run
    run.refresh_from_db()
    decide_most(run, left=1)
    round_ = train_now(run)
    one, two = waiting.challengers.all()
    with pytest.raises(ActionError, match="Round 2 is at work"):
        promote(challenger=one, by=None)
    keep(challenger=two, by=None)
    finish_round(round_)
    prune_versions()
    with pytest.raises(ActionError, match="were removed"):
        promote(challenger=two, by=None)


def test_a_roll_back_lets_the_champions_of_before_vote_again(promoted):
    run = promoted.run
    before = [one.champion for one in promoted.challengers.all()]
    roll_back(round_=promoted, by=None)
    assert pool_versions(run) == before
    assert (current_generation(run).number, current_generation(run).origin) == (2, GenerationOrigin.ROLLBACK)
    assert [one.version.may_vote for one in promoted.challengers.all()] == [False, False]
    assert set(promoted.challengers.values_list("state", flat=True)) == {ChallengerState.ROLLED_BACK}
    assert votable_versions(promoted.project) == before
    assert [version.specialist.weights_hash for version in before] == [version.weights_hash for version in before]
    with pytest.raises(ActionError, match="promoted nothing"):
        roll_back(round_=promoted, by=None)


def test_a_roll_back_of_an_older_round_asks_for_the_newer_one_first(promoted):
    run = promoted.run
    run.refresh_from_db()
    decide_most(run, left=1)
    second = finish_round(train_now(run))
    for challenger in second.challengers.exclude(state="promoted"):
        promote(challenger=challenger, by=None)
    with pytest.raises(ActionError, match="Roll that round back first"):
        roll_back(round_=promoted, by=None)
    roll_back(round_=second, by=None)
    assert pool_versions(run) == [one.version for one in promoted.challengers.all()]


def test_a_class_that_falls_keeps_the_champion(project, tmp_path):
    """The champion is always right on one class, by errors that it unlearns."""
    write_fake_specialist(tmp_path / "probe", FakeSettings(labels=CLASSES, seed=0, noise=0.3))
    spec = SpecialistSpec(tmp_path / "probe", LabelMap(CLASSES, (0, 1, 2)), 3)
    texts = [text for text in (f"checked text {number}" for number in range(3_000)) if answer_to(text) != 2]
    votes = dict(zip(texts, load_specialist("fake", spec).predict(texts).probs.argmax(1).tolist(), strict=True))
    some = [text for number, text in enumerate(texts) if votes[text] != 2 or number % 3 == 0]
    make_checked(project, some, lambda text: 2 if votes[text] == 2 else answer_to(text))
    versions = make_pool(project, tmp_path, count=1, noise=0.3)
    run = start(project, make_dataset(project, TEXTS), versions, review_budget=50)
    round_ = finish_round(train_now(decide_most(run)))
    challenger = round_.challengers.get()
    assert (challenger.verdict, challenger.state) == ("falls", ChallengerState.KEPT)
    assert challenger.accuracy_after > challenger.accuracy_before
    assert "positive" in read_figures(challenger.figures).fallen


def test_a_class_without_a_label_gets_one_by_a_round(project, tmp_path):
    make_checked(project)
    specialist = add_fake(project, tmp_path / "narrow", labels=("negative", "neutral"), noise=0.2)
    targets = own_targets(project)[:2]
    version = save_map(specialist=specialist, targets=targets, max_length=128, are_holes_confirmed=True)
    version.confirmed_at = version.created_at
    version.save()
    run = start(project, make_dataset(project, TEXTS), [version, *make_pool(project, tmp_path, count=1)])
    finish_round(train_now(decide_most(run)))
    made = newest_version(specialist)
    assert (made.model_labels, made.targets) == (list(CLASSES), own_targets(project))
    specialist.refresh_from_db()
    assert specialist.model_labels == (list(CLASSES) if made.may_vote else ["negative", "neutral"])


def test_forgetting_is_measured_on_a_source_test_too(project, tmp_path):
    run = learnable_run(project, tmp_path)
    specialist = pool_versions(run)[0].specialist
    dataset = make_dataset(project, [f"source text {number}" for number in range(50)])
    with pytest.raises(ActionError, match="no gold labels"):
        set_source_test(specialist=specialist, dataset=dataset)
    for sample in dataset.samples.all():
        sample.gold = CLASSES[answer_to(sample.text)].upper()
        sample.save()
    set_source_test(specialist=specialist, dataset=dataset)
    one, two = finish_round(train_now(run)).challengers.all()
    assert one.source_after >= one.source_before > 0.5
    assert (two.source_before, two.source_after) == (None, None)
    set_source_test(specialist=specialist, dataset=None)
    assert source_test_of(specialist) is None
