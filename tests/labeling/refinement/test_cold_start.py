"""A project that no model fits trains its own specialists: from seed labels, and from a gold column."""

from uuid import uuid4

import pytest

from annotator_core.demo import specialist_folders
from annotator_core.refine.cold_start import linear_recipes
from annotator_core.types import LabelSource
from labeling.datasets.engine import frame_threshold
from labeling.datasets.models import Sample, Upload
from labeling.jobs.actions import LeaseLost, claim, finishing
from labeling.jobs.models import Chunk, Job, JobState
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.seeds import draw_seeds
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import Consensus, ReviewItem, Vote
from labeling.pipeline.work import advance_dirty, do_one
from labeling.refinement.actions import start_round
from labeling.refinement.cold_start.actions import Plan, free_name, start_cold_start, texts_to_learn
from labeling.refinement.cold_start.outcomes import confirm_all, give_up_cold_start, retry_cold_start
from labeling.refinement.cold_start.queries import MOST_ROWS, entrants_of, material_of
from labeling.refinement.cold_start.recipes import LINEAR_NAMES, Method
from labeling.refinement.models import ChallengerState, RoundState, Trigger
from labeling.review.actions import claim as claim_text
from labeling.runs.actions import start_run
from labeling.runs.policies import Policy
from labeling.runs.queries import votable_versions
from labeling.specialists.actions import confirm_version
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import Source, Specialist, SpecialistState, VersionOrigin
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import QUEUES, work_off
from tests.labeling.refinement.learning import finish_round
from tests.labeling.refinement.shop import CLASSES, shop_texts

pytestmark = pytest.mark.django_db
TRUTH = dict(shop_texts())


@pytest.fixture(autouse=True)
def _store(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    settings.LEASE_S = 600  # a renewal would wait for the transaction of the test


@pytest.fixture
def user():
    return make_user(is_superuser=True)


@pytest.fixture
def dataset(user):
    dataset = make_dataset(make_project(user, classes=CLASSES), list(TRUTH))
    dataset.frame_until = frame_threshold(dataset.pk)
    dataset.save()
    return dataset


@pytest.fixture
def project(dataset):
    return dataset.project


def class_ids(project):
    return {one.name: one.pk for one in project.classes.all()}


def label_next(project, user, count):
    """A person who knows the answers labels that many texts in the ordinary queue."""
    ids = class_ids(project)
    for _text in range(count):
        item = claim_text(project=project, user_id=user.pk)[0].item
        class_id = ids[TRUTH[item.sample.text]]
        decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def know(dataset, count, *names):
    """The first texts outside the frame come in as verified, those of the named classes only."""
    ids = class_ids(dataset.project)
    samples = dataset.samples.filter(text_hash__gt=dataset.frame_until).order_by("position")
    known = [one for one in samples if TRUTH[one.text] in (names or CLASSES)][:count]
    rows = [LabelRow(one.pk, ids[TRUTH[one.text]]) for one in known]
    set_labels(rows=rows, source=LabelSource.IMPORTED)


def give_gold(dataset, count):
    """A column that the import kept to compare with; some of its values are no class."""
    Upload.objects.filter(dataset=dataset).update(gold_column="kind")
    for sample in dataset.samples.filter(position__lt=count):
        gold = "unsure" if sample.position % 10 == 0 else TRUTH[sample.text].upper()
        Sample.objects.filter(pk=sample.pk).update(gold=gold)


def start(project, count=2, **plan):
    return start_cold_start(project=project, plan=Plan(count=count, seed=1, **plan), by=None)


def train(project, **plan):
    """A cold start after all its work."""
    round_ = start(project, **plan)
    work_off()
    round_.refresh_from_db()
    return round_


def share_right(run):
    answers = Consensus.objects.filter(run=run, is_current=True).values_list("sample__text", "label_class__name")
    return sum(TRUTH[text] == name for text, name in answers) / len(answers)


def test_a_hundred_labels_make_specialists_that_vote_well_and_learn_more(dataset, project, user):
    draw_seeds(dataset=dataset)
    label_next(project, user, 100)
    round_ = train(project, count=3)
    entrants = entrants_of(round_)
    assert (round_.state, round_.pool_rows) == (RoundState.DONE, 100)
    assert [one.challenger.specialist.name for one in entrants] == list(LINEAR_NAMES)
    assert all(one.trial.row_count and not one.trial.abstained for one in entrants)
    assert min(one.challenger.figures["low"] for one in entrants) > 0.6
    assert votable_versions(project) == []
    confirm_all(round_=round_, by=user)
    versions = votable_versions(project)
    # A budget sends rows to people however sure the specialists are.
    policy = Policy(min_agree=3, review_budget=8.0, seed=1)
    run = start_run(project=project, dataset=dataset, versions=versions, policy=policy, by=user)
    work_off()
    assert (Vote.objects.count(), share_right(run) > 0.85) == (3 * 525, True)
    label_next(project, user, ReviewItem.objects.filter(run=run, state="open").count() - 1)
    refined = start_round(run=run, trigger=Trigger.MANAGER, by=user)
    finish_round(refined)
    assert set(refined.challengers.values_list("version__parent__origin", flat=True)) == {VersionOrigin.COLD_START}


def test_a_gold_column_trains_without_a_single_decision(dataset, project):
    give_gold(dataset, 300)
    (gold,) = material_of(project).gold_sets
    outside = [one for one in dataset.samples.filter(position__lt=300) if one.text_hash > dataset.frame_until]
    assert len(gold.texts) == sum(one.position % 10 != 0 for one in outside)
    with pytest.raises(ActionError, match="There are 0 labeled texts"):
        start(project)
    round_ = train(project, gold=(dataset.pk,))
    assert (round_.state, round_.pool_rows) == (RoundState.DONE, len(gold.texts))
    assert min(one.accuracy for one in entrants_of(round_)) > 0.8


def test_the_names_say_what_the_engine_makes():
    kinds = ["+".join(block.analyzer for block in recipe.blocks) for recipe in linear_recipes(3)]
    assert dict(zip(kinds, LINEAR_NAMES, strict=True)) == {
        "word+char_wb": "words and characters",
        "word": "words",
        "char_wb": "characters",
    }


def test_names_that_are_taken_get_a_number():
    assert [free_name("words", taken) for taken in ((), ("words",), ("words", "words 2"))] == [
        "words",
        "words 2",
        "words 3",
    ]


def test_under_five_hundred_all_texts_train_and_from_there_on_gate_rows_do_not(dataset, project):
    know(dataset, 400)
    assert len(texts_to_learn(project, ())) == 400
    more = make_dataset(project, [f"{text} really" for text in list(TRUTH)[:200]])
    ids = class_ids(project)
    rows = [LabelRow(one.pk, ids[TRUTH[one.text.removesuffix(" really")]]) for one in more.samples.all()]
    set_labels(rows=rows, source=LabelSource.IMPORTED)
    assert 450 < len(texts_to_learn(project, ())) < 510


def test_texts_of_an_audit_frame_never_train(dataset, project):
    ids = class_ids(project)
    framed = dataset.samples.filter(text_hash__lte=dataset.frame_until)
    set_labels(rows=[LabelRow(one.pk, ids["bug"]) for one in framed], source=LabelSource.IMPORTED)
    twin = make_dataset(project, [one.text for one in framed])
    set_labels(rows=[LabelRow(one.pk, ids["bug"]) for one in twin.samples.all()], source=LabelSource.IMPORTED)
    assert (texts_to_learn(project, ()), len(framed) > 50, MOST_ROWS) == ([], True, 5_000)


def test_what_is_missing_is_said(dataset, project):
    know(dataset, 19)
    with pytest.raises(ActionError, match="There are 19 labeled texts"):
        start(project)
    know(dataset, 30, "bug")
    with pytest.raises(ActionError, match="specialists can be trained"):
        start(project, count=6)


def test_one_class_alone_is_refused(dataset, project):
    know(dataset, 30, "bug")
    with pytest.raises(ActionError, match="of one class"):
        start(project)


def test_a_class_without_texts_must_be_confirmed_and_is_never_voted_for(dataset, project):
    know(dataset, 60, "bug", "praise")
    with pytest.raises(ActionError, match="No text is labeled billing") as error:
        start(project)
    assert error.value.field == "are_holes_confirmed"
    version = entrants_of(train(project, are_holes_confirmed=True))[0].version
    ids = class_ids(project)
    assert (version.targets, version.class_ids) == ([ids["bug"], ids["praise"]], sorted(ids.values()))
    confirm_version(version=version, by=None)
    assert votable_versions(project) == [version]


def test_one_training_at_a_time(dataset, project):
    know(dataset, 60)
    start(project)
    with pytest.raises(ActionError, match="at work already"):
        start(project)


def test_the_same_seed_gives_the_same_weights(dataset, project):
    know(dataset, 60)
    first, second = train(project), train(project)
    hashes = [[one.version.weights_hash for one in entrants_of(round_)] for round_ in (first, second)]
    assert hashes[0] == hashes[1]
    assert [one.challenger.specialist.name for one in entrants_of(second)] == [
        "words and characters 2",
        "words 2",
    ]
    assert (store_folder_of(hashes[0][0]) / "manifest.json").is_file()


def test_a_worker_lost_in_the_middle_leaves_nothing_half_written(dataset, project):
    """Another worker does the part from the start; the first one's late result is refused."""
    know(dataset, 60)
    round_ = start(project)
    advance_dirty()
    lost = claim(queues=["refine"], owner="lost")
    Chunk.objects.filter(pk=lost.chunk_id).update(lease_until="2020-01-01T00:00:00Z")
    work_off()
    with pytest.raises(LeaseLost), finishing(lost):
        pass
    round_.refresh_from_db()
    assert (round_.state, [one.trial.error for one in entrants_of(round_)]) == (RoundState.DONE, ["", ""])
    assert Specialist.objects.filter(state=SpecialistState.READY, source=Source.TRAINED).count() == 2


def fail_one(project):
    """A cold start of which one part is dead."""
    round_ = start(project)
    advance_dirty()
    Chunk.objects.filter(job__subject=round_.pk, idx=1).update(state="dead", error="The disk is full.")
    Job.objects.filter(kind="cold").update(is_dirty=True)
    work_off()
    round_.refresh_from_db()
    return round_


def test_a_training_that_failed_is_shown_and_tried_again(dataset, project):
    know(dataset, 60)
    round_ = fail_one(project)
    states = list(round_.challengers.values_list("state", "specialist__state", "error"))
    assert (round_.state, round_.error) == (RoundState.FAILED, "The disk is full.")
    assert states == [
        (ChallengerState.TRAINED, SpecialistState.READY, ""),
        (ChallengerState.FAILED, SpecialistState.FAILED, "The disk is full."),
    ]
    assert retry_cold_start(round_=round_) == 1
    work_off()
    round_.refresh_from_db()
    assert (round_.state, Job.objects.get(kind="cold").state) == (RoundState.DONE, JobState.DONE)
    assert all(one.can_be_confirmed for one in entrants_of(round_))


def test_giving_up_keeps_what_is_trained(dataset, project):
    know(dataset, 60)
    round_ = fail_one(project)
    give_up_cold_start(round_=round_)
    round_.refresh_from_db()
    assert (round_.state, [one.challenger.specialist.name for one in entrants_of(round_)]) == (
        RoundState.DONE,
        ["words and characters"],
    )


def test_stopping_before_anything_is_trained_leaves_an_empty_list(dataset, project):
    know(dataset, 60)
    round_ = start(project)
    advance_dirty()
    give_up_cold_start(round_=round_)
    work_off()
    round_.refresh_from_db()
    assert (round_.state, project.specialists.filter(is_archived=False).count()) == (RoundState.CANCELLED, 0)
    assert train(project).state == RoundState.DONE


def test_a_retired_class_stops_the_training_with_a_reason(dataset, project):
    know(dataset, 60)
    round_ = start(project)
    project.classes.filter(name="bug").update(is_retired=True)
    work_off()
    round_.refresh_from_db()
    assert (round_.state, "class was retired" in round_.error) == (RoundState.FAILED, True)


@pytest.fixture
def _one_thread():
    """Threads only wait for each other in a model this small."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_one_thread")
def test_an_encoder_gets_a_head_over_the_classes(dataset, project):
    know(dataset, 25)
    base = str(next(iter(specialist_folders().values())))
    round_ = train(project, method=Method.ENCODER, base=base)
    entrants = entrants_of(round_)
    assert (round_.error, round_.state) == ("", RoundState.DONE)
    assert [one.challenger.specialist.backend for one in entrants] == ["torch", "torch"]
    assert entrants[0].version.weights_hash != entrants[1].version.weights_hash
    assert [one.challenger.figures["rows"] for one in entrants] == [6, 6]
    assert [one.trial.error for one in entrants] == ["", ""]


def test_a_folder_that_is_no_encoder_is_refused(dataset, project, tmp_path):
    know(dataset, 60)
    with pytest.raises(ActionError) as error:
        start(project, method=Method.ENCODER, base=str(tmp_path))
    assert error.value.field == "folder"


def test_a_worker_takes_the_parts_from_the_refine_queue_alone(dataset, project):
    know(dataset, 60)
    start(project)
    advance_dirty()
    assert not do_one([one for one in QUEUES if one != "refine"], "light")
