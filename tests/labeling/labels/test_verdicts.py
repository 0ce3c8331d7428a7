"""What a decision, an undo and a withdrawal do to the facts."""

from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from annotator_core.types import LabelSource, Route
from labeling.jobs.models import Event
from labeling.labels.actions import Stale, adjudicate, decide, reopen, undo
from labeling.labels.actions.items import withdraw_items
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Consensus, ItemState, Label, Lease, ReviewItem, Verdict
from labeling.runs.models import Run, RunState
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user, vote_rows
from tests.labeling.labels.answering import choose, current, decided, item_of, recount, take_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def run(project):
    return make_run(make_dataset(project, ["one", "two", "same", "same", "same", "six"]))


def test_decide_labels_all_equal_texts_once(run, user):
    decision = choose(run, user, "same", "neutral")
    assert (decision.copies, decision.is_stale) == (3, False)
    assert current(run, "same") == [("neutral", "human")] * 3
    assert ReviewItem.objects.filter(run=run, text_hash=item_of(run, "same").text_hash).count() == 1
    assert decided(run) == 3


def test_decide_closes_the_item_and_its_lease(run, user):
    item = item_of(run, "one")
    Lease.objects.create(item=item, user=user, expires_at=timezone.now() + timedelta(minutes=1))
    choose(run, user, "one")
    item.refresh_from_db()
    assert (item.state, item.version, item.leases.count()) == (ItemState.DECIDED, 1, 0)


def test_decide_sent_twice_is_one_decision(run, user):
    mark = uuid4()
    first = choose(run, user, "same", client_id=mark)
    second = choose(run, user, "same", client_id=mark)
    assert (second.verdict_id, second.copies, second.is_repeat) == (first.verdict_id, 3, True)
    assert (Verdict.objects.count(), decided(run)) == (1, 3)


def test_decide_refuses_the_mark_of_another_answer(run, user):
    mark = UUID(int=7)
    choose(run, user, "one", client_id=mark)
    with pytest.raises(ActionError, match="mark of another"):
        choose(run, user, "two", client_id=mark)
    with pytest.raises(ActionError, match="mark of another"):
        choose(run, make_user(), "one", client_id=mark)


def test_decide_refuses_a_class_of_another_project(run, user):
    other = make_project(user).classes.get(name="positive")
    for class_id in (other.pk, 0):
        with pytest.raises(ActionError, match="not in use"):
            decide(
                item_id=item_of(run, "one").pk,
                project=run.project,
                user_id=user.pk,
                class_id=class_id,
                client_id=uuid4(),
            )
    assert not Verdict.objects.exists()


def test_c14_a_class_retired_meanwhile_is_stored_and_the_item_stays_on_the_screen(run, user):
    item = item_of(run, "one")
    Lease.objects.create(item=item, user=user, expires_at=timezone.now() + timedelta(minutes=1))
    run.project.classes.filter(name="neutral").update(is_retired=True)
    answer = choose(run, user, "one", "neutral")
    assert (answer.is_stale, answer.why, answer.copies) == (True, Stale.RETIRED, 0)
    assert item.verdicts.get().label_class.name == "neutral"
    item.refresh_from_db()
    assert (item.state, item.leases.get().user, decided(run)) == (ItemState.OPEN, user, 0)
    assert not choose(run, user, "one", "positive").is_stale


def test_s19_decide_refuses_an_item_of_another_project(run, user):
    other = make_run(make_dataset(make_project(user), ["one"]))
    with pytest.raises(ActionError, match="not in the project"):
        choose(run, user, "one", item=item_of(other, "one"))


def test_c08_an_item_decided_elsewhere_takes_a_stale_answer(run, user):
    late = make_user()
    choose(run, user, "one", "negative")
    answer = choose(run, late, "one", "positive")
    assert (answer.is_stale, answer.copies) == (True, 0)
    assert current(run, "one") == [("negative", "human")]
    assert Verdict.objects.get(pk=answer.verdict_id).is_stale
    assert decided(run) == 1


def test_a_withdrawn_item_takes_a_stale_answer(run, user):
    assert withdraw_items(run=run) == 4
    assert choose(run, user, "one").is_stale
    assert current(run, "one") == []


def test_c03_an_answer_to_an_item_on_another_screen_is_stale(run, user):
    other = make_user()
    Lease.objects.create(item=item_of(run, "one"), user=other, expires_at=timezone.now() + timedelta(minutes=1))
    assert choose(run, user, "one").is_stale
    assert not choose(run, other, "one", "neutral").is_stale
    assert current(run, "one") == [("neutral", "human")]


def test_the_same_person_may_change_an_answer(run, user):
    choose(run, user, "same", "negative")
    second = choose(run, user, "same", "positive")
    assert (second.is_stale, current(run, "same")) == (False, [("positive", "human")] * 3)
    assert decided(run) == recount(run) == 3
    take_back(run, user)
    assert (current(run, "same"), decided(run), item_of(run, "same").state) == ([], 0, ItemState.OPEN)


def test_undo_reopens_the_item_on_the_same_screen(run, user):
    choose(run, user, "same")
    item = take_back(run, user)
    assert (item.state, item.leases.get().user) == (ItemState.OPEN, user)
    assert (current(run, "same"), decided(run)) == ([], 0)
    assert [(v.is_undo, v.is_current) for v in item.verdicts.all()] == [(False, False), (True, True)]


def test_a_text_decided_again_was_decided_with_its_votes_seen(run, user):
    for text, is_blind in (("one", False), ("two", True)):
        ReviewItem.objects.filter(sample__text=text).update(is_blind=is_blind)
        choose(run, user, text)
        take_back(run, user)
        choose(run, user, text)
    assert list(Verdict.objects.filter(is_undo=False).values_list("has_seen_votes", flat=True)) == [
        False,
        True,
        False,
        False,
    ]


def test_undo_sent_twice_is_one_undo(run, user):
    choose(run, user, "one")
    choose(run, user, "two")
    mark = uuid4()
    first = undo(project=run.project, user_id=user.pk, client_id=mark)
    assert undo(project=run.project, user_id=user.pk, client_id=mark) == first
    assert decided(run) == 1


def test_c16_undo_goes_back_twenty_levels_and_no_further(project, user):
    run = make_run(make_dataset(project, [f"text {i}" for i in range(25)]))
    for i in range(25):
        choose(run, user, f"text {i}")
    back = [take_back(run, user).sample.text for _ in range(20)]
    assert back == [f"text {i}" for i in range(24, 4, -1)]
    assert decided(run) == recount(run) == 5
    with pytest.raises(ActionError, match="Twenty"):
        take_back(run, user)
    choose(run, user, "text 7", "neutral")
    assert take_back(run, user).sample.text == "text 7"


def test_c52_no_answer_changes_what_the_specialists_said(run, user):
    fields = ("id", "label_class", "uncertainty", "score", "confidence", "route")
    before = list(Consensus.objects.order_by("id").values_list(*fields))
    choose(run, user, "same", "negative")
    adjudicate(
        project=run.project,
        item_id=item_of(run, "one").pk,
        user_id=user.pk,
        class_id=run.project.classes.get(name="neutral").pk,
        client_id=uuid4(),
        corrects=True,
    )
    take_back(run, user)
    assert list(Consensus.objects.order_by("id").values_list(*fields)) == before


def test_undo_without_a_decision_says_so(run, user):
    with pytest.raises(ActionError, match="nothing to undo"):
        take_back(run, user)


def test_undo_brings_back_the_best_label_left(run, user):
    sample = item_of(run, "one").sample
    negative, neutral = run.project.classes.all()[:2]
    set_labels(rows=[LabelRow(sample.pk, neutral.pk)], source=LabelSource.IMPORTED)
    set_labels(rows=[LabelRow(sample.pk, negative.pk, 0.7, run.pk)], source=LabelSource.CONSENSUS)
    choose(run, user, "one", "positive")
    take_back(run, user)
    assert current(run, "one") == [("neutral", "imported")]


def test_undo_leaves_the_label_of_another_person(run, user):
    other = make_user()
    choose(run, user, "one", "negative")
    reopen(project=run.project, item_id=item_of(run, "one").pk)
    choose(run, other, "one", "neutral")
    with pytest.raises(ActionError, match="nothing to undo"):
        take_back(run, user)
    assert (current(run, "one"), decided(run)) == ([("neutral", "human")], 1)


def test_reopen_takes_the_labels_back(run, user):
    choose(run, user, "same")
    item = reopen(project=run.project, item_id=item_of(run, "same").pk)
    assert (item.state, current(run, "same"), decided(run)) == (ItemState.OPEN, [], 0)
    with pytest.raises(ActionError, match="Only a decided"):
        reopen(project=run.project, item_id=item.pk)


def test_the_last_decision_ends_the_run_and_its_undo_opens_it_again(run, user):
    for text in ("one", "two", "same", "six"):
        choose(run, user, text)
    assert Run.objects.get(pk=run.pk).state == RunState.DONE
    take_back(run, user)
    assert Run.objects.get(pk=run.pk).state == RunState.REVIEWING


def test_undo_in_a_cancelled_run_leaves_the_queue_alone(run, user):
    choose(run, user, "one")
    Run.objects.filter(pk=run.pk).update(state=RunState.CANCELLED)
    withdraw_items(run=run)
    assert take_back(run, user).state == ItemState.WITHDRAWN
    assert not Lease.objects.exists()


def test_undo_after_a_second_run_corrects_both_runs(run, user):
    for text in ("one", "two", "same", "six"):
        choose(run, user, text)
    second = make_run(run.dataset)
    assert (second.hard, second.decided, second.state) == (6, 6, RunState.DONE)
    take_back(run, user)
    assert (decided(run), decided(second)) == (recount(run), recount(second)) == (5, 5)


def test_a_copy_voted_on_after_the_decision_counts_as_decided(project, user):
    run = make_run(make_dataset(project, ["same", "other", "same"]), hard=(), is_over=False)
    Consensus.objects.all().delete()
    Label.objects.all().delete()
    Run.objects.update(accepted=0, voted=0)
    vote_rows(run, high=2)
    choose(run, user, "same")
    vote_rows(run, low=2)
    run.refresh_from_db()
    assert (run.hard, run.decided, recount(run)) == (3, 2, 2)
    take_back(run, user)
    assert decided(run) == recount(run) == 0


@pytest.mark.parametrize("seed", range(5))
def test_c41_counters_equal_a_recount_after_any_sequence(project, user, seed):
    random = Random(seed)
    texts = [f"text {random.randrange(8)}" for _ in range(20)]
    run = make_run(make_dataset(project, texts), hard={i for i in range(20) if i % 4})
    people = [user, make_user()]
    add_member(project, people[1])
    for _ in range(40):
        person, item = random.choice(people), random.choice(list(ReviewItem.objects.order_by("id")))
        try:
            random.choice(
                [
                    lambda p=person, i=item: choose(run, p, "", random.choice(["positive", "neutral"]), item=i),
                    lambda p=person: take_back(run, p),
                    lambda i=item: reopen(project=project, item_id=i.pk),
                ]
            )()
        except ActionError:
            continue
        assert decided(run) == recount(run)
        assert set(open_texts(run)) == set(undecided_texts(run))


def open_texts(run):
    return ReviewItem.objects.filter(run=run, state=ItemState.OPEN).values_list("sample__text", flat=True)


def undecided_texts(run):
    labeled = Label.objects.filter(is_current=True, source=LabelSource.HUMAN).values("sample_id")
    hard = Consensus.objects.filter(run=run, route=Route.REVIEW).exclude(sample_id__in=labeled)
    return hard.values_list("sample__text", flat=True)


def test_a_lower_source_never_replaces_a_higher_one(run, user):
    choose(run, user, "one", "positive")
    sample = item_of(run, "one").sample
    negative = run.project.classes.get(name="negative")
    before = set_labels(rows=[LabelRow(sample.pk, negative.pk)], source=LabelSource.CONSENSUS)
    assert before == {sample.pk: LabelSource.HUMAN}
    assert current(run, "one") == [("positive", "human")]
    assert sample.labels.count() == 2


def test_of_equal_sources_the_newest_stands(run):
    sample = item_of(run, "one").sample
    for name in ("positive", "negative", "neutral"):
        one = run.project.classes.get(name=name)
        set_labels(rows=[LabelRow(sample.pk, one.pk)], source=LabelSource.CONSENSUS)
    assert current(run, "one") == [("neutral", "consensus")]


def test_set_labels_takes_thousands_of_rows_in_a_few_statements(project, django_assert_max_num_queries):
    dataset = make_dataset(project, [f"text {i}" for i in range(4096)])
    class_id = project.classes.first().pk
    rows = [LabelRow(one, class_id, 0.5) for one in dataset.samples.values_list("id", flat=True)]
    with django_assert_max_num_queries(21):
        set_labels(rows=rows, source=LabelSource.CONSENSUS)
    set_labels(rows=rows, source=LabelSource.IMPORTED)
    assert Label.objects.filter(is_current=True, source="imported").count() == 4096


def test_set_labels_refuses_a_sample_named_twice(run):
    row = LabelRow(item_of(run, "one").sample_id, run.project.classes.first().pk)
    with pytest.raises(ValueError, match="twice"):
        set_labels(rows=[row, row], source=LabelSource.CONSENSUS)


@pytest.mark.django_db(transaction=True)
def test_decisions_announce_themselves_at_most_once_a_second(run, user):
    for text in ("one", "two", "six"):
        choose(run, user, text)
    assert Event.objects.filter(topic=f"run:{run.pk}").count() == 1
    Event.objects.update(created_at=timezone.now() - timedelta(seconds=2))
    choose(run, user, "same")
    assert Event.objects.filter(topic=f"run:{run.pk}").count() == 2
