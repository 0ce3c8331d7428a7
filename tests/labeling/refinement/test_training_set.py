"""Which rows a round takes: nothing of the frame, no gate row in training, equal texts on one side."""

from uuid import uuid4

import pytest

from annotator_core.refine.training_set import gate_half
from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import ItemReason, ReviewItem, Verdict, VerdictMode
from labeling.refinement.cold_start.actions import texts_to_learn
from labeling.refinement.models import TRAINING_ROLES, SampleRole
from labeling.refinement.training_set import derive_seed, draw_rows, verified_texts
from labeling.refinement.weights import BULK_WEIGHT
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool
from tests.labeling.refinement.learning import PAPER, TEXTS, decide_most, learnable_run, make_checked, start, train_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


def frame(dataset, share):
    """Make that share of the data set's texts its audit frame."""
    hashes = sorted(set(dataset.samples.values_list("text_hash", flat=True)))
    dataset.frame_until = hashes[int(share * len(hashes)) - 1]
    dataset.save(update_fields=["frame_until"])
    return {text_hash for text_hash in hashes if text_hash <= dataset.frame_until}


def hashes_of(round_, *roles):
    return list(round_.samples.filter(role__in=roles).values_list("sample__text_hash", flat=True))


def test_frame_and_gate_rows_never_train_also_as_duplicates(project, tmp_path):
    """Every text stands twice here, and half of them in a framed data set besides."""
    versions = make_pool(project, tmp_path, count=2, noise=0.4)
    checked = make_checked(project, [*TEXTS[:60], *(f"checked text {number}" for number in range(400))])
    dataset = make_dataset(project, TEXTS * 2)
    framed = frame(checked, 0.2) | frame(dataset, 0.1)
    round_ = train_now(decide_most(start(project, dataset, versions)))
    training, gate = hashes_of(round_, *TRAINING_ROLES), hashes_of(round_, SampleRole.CHOOSE, SampleRole.DECIDE)
    assert len(training) == len(set(training)) > 20
    assert len(gate) == len(set(gate)) > 40
    assert not framed & {*training, *gate, *hashes_of(round_, SampleRole.FIRST)}
    assert {gate_half(text_hash) for text_hash in training} == {None}
    assert {gate_half(text_hash) for text_hash in hashes_of(round_, SampleRole.DECIDE)} == {"decide"}


def test_replay_is_the_asked_share_of_earlier_verified_rows(project, tmp_path):
    make_checked(project)
    round_ = train_now(learnable_run(project, tmp_path, replay_share=0.25))
    assert round_.replay_rows == round(round_.pool_rows / 3) > 0
    assert not {*hashes_of(round_, "replay")} & {*hashes_of(round_, "pool")}
    counted = (round_.pool_rows, round_.replay_rows, round_.choose_rows, round_.decide_rows)
    assert counted == tuple(len(hashes_of(round_, role)) for role in ("pool", "replay", "choose", "decide"))


def test_the_papers_policy_trains_on_the_whole_hard_pool_and_nothing_else(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path, **PAPER)
    round_ = train_now(run)
    assert (round_.pool_rows, round_.replay_rows, round_.choose_rows, round_.decide_rows) == (run.decided, 0, 0, 0)


def test_rows_drawn_at_random_have_their_own_role(project, tmp_path):
    run = learnable_run(project, tmp_path, **PAPER)
    seven = list(run.items.filter(state="decided").values_list("pk", flat=True)[:7])
    ReviewItem.objects.filter(pk__in=seven).update(reason=ItemReason.RANDOM)
    round_ = train_now(run)
    assert (round_.random_rows, round_.pool_rows) == (7, run.decided - 7)


def test_a_retired_class_neither_trains_nor_judges(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path)
    retired = project.classes.last()
    retired.is_retired = True
    retired.save()
    round_ = train_now(run)
    assert not round_.samples.filter(label_class=retired).exists()
    assert round_.samples.exclude(label_class=retired).count() == round_.samples.count() > 100


def test_a_class_that_the_pool_does_not_know_is_left_out(project, tmp_path):
    make_checked(project)
    known = list(project.classes.values_list("id", flat=True))[:2]
    assert {row.class_id for row in verified_texts(project, known).values()} == set(known)


def test_of_two_labels_of_a_text_the_higher_source_wins(project):
    class_ids = list(project.classes.values_list("id", flat=True))
    one, two = make_dataset(project, ["same"]), make_dataset(project, ["same"])
    set_labels(rows=[LabelRow(one.samples.get().pk, class_ids[0])], source=LabelSource.HUMAN)
    set_labels(rows=[LabelRow(two.samples.get().pk, class_ids[1])], source=LabelSource.IMPORTED)
    assert [row.class_id for row in verified_texts(project, class_ids).values()] == [class_ids[0]]


def test_consensus_labels_and_archived_data_sets_do_not_count(project):
    class_ids = list(project.classes.values_list("id", flat=True))
    one, two = make_dataset(project, ["guessed"]), make_dataset(project, ["known"])
    set_labels(rows=[LabelRow(one.samples.get().pk, class_ids[0])], source=LabelSource.CONSENSUS)
    set_labels(rows=[LabelRow(two.samples.get().pk, class_ids[1])], source=LabelSource.HUMAN)
    assert len(verified_texts(project, class_ids)) == 1
    two.archived_at = two.created_at
    two.save()
    assert verified_texts(project, class_ids) == {}


def test_labels_confirmed_with_others_train_by_half_and_never_judge(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path)
    together = Verdict.objects.filter(item__run=run, item__text_hash__lt="8")
    together.update(mode=VerdictMode.BULK)
    hashes = set(together.values_list("item__text_hash", flat=True))
    assert len(hashes) > 20
    assert {gate_half(text_hash) for text_hash in hashes} == {None, "choose", "decide"}
    round_ = train_now(run)
    rows = list(round_.samples.values_list("sample__text_hash", "role", "weight"))
    assert {weight for text_hash, _role, weight in rows if text_hash in hashes} == {BULK_WEIGHT} == {0.5}
    assert {weight for text_hash, _role, weight in rows if text_hash not in hashes} == {1.0}
    assert not hashes & {text_hash for text_hash, role, _weight in rows if role in {"choose", "decide", "first"}}


def label_with(project, text, class_id, mode):
    """A person's label of a text in a data set of its own."""
    sample = make_dataset(project, [text]).samples.get()
    item = ReviewItem.objects.create(
        project=project, dataset=sample.dataset, sample=sample, text_hash=sample.text_hash, state="decided"
    )
    verdict = Verdict.objects.create(
        item=item, user=project.created_by, label_class_id=class_id, client_id=uuid4(), mode=mode
    )
    set_labels(rows=[LabelRow(sample.pk, class_id, verdict_id=verdict.pk)], source=LabelSource.HUMAN)


@pytest.mark.parametrize("modes", [("single", "bulk"), ("bulk", "single")])
def test_of_two_labels_of_a_text_the_one_given_alone_wins(project, modes):
    class_ids = list(project.classes.values_list("id", flat=True))
    for mode, class_id in zip(modes, class_ids, strict=False):
        label_with(project, "same", class_id, mode)
    alone = class_ids[modes.index("single")]
    (row,), (text,) = verified_texts(project, class_ids).values(), texts_to_learn(project, ())
    assert (row.class_id, row.weight, row.may_judge, text.class_id, text.weight) == (alone, 1.0, True, alone, 1.0)


def test_the_first_specialists_learn_less_from_labels_confirmed_with_others(project):
    class_id = project.classes.first().pk
    label_with(project, "one", class_id, "bulk")
    label_with(project, "two", class_id, "single")
    assert sorted(text.weight for text in texts_to_learn(project, ())) == [BULK_WEIGHT, 1.0]


def test_the_draw_depends_on_the_seed_alone(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path)
    class_ids = list(project.classes.values_list("id", flat=True))
    draws = [draw_rows(run, class_ids, seed=seed, has_first=False) for seed in (1, 1, 2)]
    assert (draws[0] == draws[1], draws[0] == draws[2], len(draws[0]) == len(draws[2])) == (True, False, True)


def test_derived_seeds_differ_and_repeat():
    assert derive_seed(7, 1) == derive_seed(7, 1)
    assert len({derive_seed(seed, number) for seed in range(20) for number in range(20)}) == 400
