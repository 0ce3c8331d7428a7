"""A language model's labels in the hard pool: what they weigh, and where they may judge."""

import pytest

from annotator_core.refine.training_set import gate_half
from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Label
from labeling.quality.actions import draw_audit
from labeling.refinement.actions import start_round
from labeling.refinement.models import TRAINING_ROLES, RefinementRound, SampleRole, Trigger
from labeling.refinement.training_set import draw_rows
from labeling.refinement.weights import Scale, confidence_scale
from labeling.runs.models import Mode, Run, RunState
from labeling.runs.policies import paper_policy
from tests.labeling.asking import make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(60)]
GATE = (SampleRole.CHOOSE, SampleRole.DECIDE)


@pytest.fixture
def project():
    return make_project(make_user())


def reviewed(project, settings, **policy):
    """A run whose hard rows a model has answered."""
    dataset, versions = make_voted(project, TEXTS)
    with serving(settings) as server:
        run = start(project, dataset, versions, [make_connection(project, server)], **policy)
        work_off(("io", "consensus", "verify"))
    assert_counters_equal_recount(run)
    return run


def rows_of(run):
    class_ids = list(run.project.classes.values_list("id", flat=True))
    return draw_rows(run, class_ids, seed=1, has_first=True)


def test_its_labels_fill_the_hard_pool_and_train_by_their_confidence(project, settings):
    run = reviewed(project, settings, beta=1_000)
    assert run.pool_size == run.verified == run.hard > 10
    rows = [row for row in rows_of(run) if row.role in TRAINING_ROLES]
    stated = dict(Label.objects.filter(source="fused").values_list("sample_id", "confidence"))
    assert {row.sample_id: row.weight for row in rows} == {row.sample_id: stated[row.sample_id] for row in rows}
    assert {row.is_by_person for row in rows} == {False}


def test_a_persons_label_counts_in_full_and_wins(project, settings):
    run = reviewed(project, settings, beta=1_000)
    row = next(row for row in rows_of(run) if row.role == SampleRole.POOL)
    set_labels(rows=[LabelRow(row.sample_id, run.project.classes.first().pk)], source=LabelSource.HUMAN)
    again = next(one for one in rows_of(run) if one.sample_id == row.sample_id)
    assert (again.weight, again.is_by_person, again.class_id) == (1.0, True, run.project.classes.first().pk)


@pytest.mark.parametrize(("mode", "may_judge"), [(Mode.LLM, True), (Mode.LLM_THEN_HUMAN, False)])
def test_it_judges_only_where_no_person_reviews(project, settings, mode, may_judge):
    run = reviewed(project, settings, beta=1_000, mode=mode, sure_from=0.0)
    hashes = dict(run.dataset.samples.values_list("id", "text_hash"))
    rows = rows_of(run)
    assert bool([row for row in rows if row.role in GATE]) is may_judge
    assert bool([row for row in rows if row.role == SampleRole.FIRST]) is may_judge
    assert {gate_half(hashes[row.sample_id]) for row in rows if row.role in TRAINING_ROLES} == {None}


def test_a_round_says_how_many_of_its_rows_a_model_labeled(project, settings):
    run = reviewed(project, settings, beta=1_000)
    Run.objects.update(state=RunState.REVIEWING)  # as if one row waited for a person
    round_ = start_round(run=run, trigger=Trigger.MANAGER, by=None)
    assert round_.verifier_rows == round_.pool_rows + round_.random_rows + round_.replay_rows > 0
    assert round_.verifier_gate_rows == round_.choose_rows + round_.decide_rows > 0
    assert set(round_.samples.values_list("weight", flat=True)) != {1.0}


def test_the_papers_policy_learns_from_a_full_pool_of_answers(project, settings):
    policy = paper_policy(3, beta=8, mode=Mode.LLM)
    run = reviewed(project, settings, **{name: getattr(policy, name) for name in policy.__dataclass_fields__})
    round_ = RefinementRound.objects.get(run=run)
    assert (run.verified, run.learned, run.state, run.to_review) == (8, 8, "reviewing", 0)
    assert run.voted < len(TEXTS)
    assert (round_.trigger, round_.pool_rows, round_.verifier_rows, round_.choose_rows) == ("beta", 8, 8, 0)
    assert verify_job(run).state == "done"


def test_confidence_is_calibrated_by_the_audits_fitting_third(project, settings):
    dataset, _versions = make_voted(project, [f"text {number}" for number in range(400)])
    dataset.frame_until = sorted(dataset.samples.values_list("text_hash", flat=True))[79]
    dataset.save()
    classes = list(project.classes.values_list("id", flat=True))
    draw_audit(dataset=dataset, count=60, by=None)
    framed = list(dataset.samples.filter(text_hash__lte=dataset.frame_until))
    assert confidence_scale(project) == Scale(1.0)
    set_labels(rows=[LabelRow(one.pk, classes[0], 1.0) for one in framed], source=LabelSource.VERIFIER)
    set_labels(
        rows=[LabelRow(one.pk, classes[number % 2]) for number, one in enumerate(framed)], source=LabelSource.HUMAN
    )
    scale = confidence_scale(project)
    assert 0.5 < scale.factor < 0.9
    assert scale.weigh(0.9) == round(0.9 * scale.factor, 6)


@pytest.mark.parametrize(("stated", "weight"), [(None, 0.8), (0.0, 0.05), (0.7, 0.7), (1.0, 1.0)])
def test_weights_stay_within_their_bounds(stated, weight):
    assert Scale().weigh(stated) == weight


def test_other_runs_never_learn_from_answers(project, settings):
    run = reviewed(project, settings, beta=1_000)
    run.mode = Mode.HUMAN
    assert [row for row in rows_of(run) if row.role != SampleRole.FIRST] == []
