"""The run's counters against a recount of the rows."""

from django.db.models import Exists, OuterRef

from annotator_core.types import Route
from labeling.labels.answer_queries import MACHINE_SOURCES
from labeling.labels.chunk_queries import PERSON_SOURCES
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem
from labeling.runs.models import PoolGeneration


def recount(run):
    """voted, accepted, hard, decided from the rows themselves."""
    rows = Consensus.objects.filter(run=run, is_current=True)
    hard = rows.filter(route__in=(Route.REVIEW, Route.VERIFY)).values("sample_id")
    by_person = Label.objects.filter(sample_id__in=hard, is_current=True, source__in=PERSON_SOURCES)
    return rows.count(), rows.filter(route=Route.ACCEPT).count(), hard.count(), by_person.count()


def recount_verified(run):
    """asking, verified from the rows themselves: a row to verify has a label of the run's models, or waits for one."""
    labels = Label.objects.filter(sample=OuterRef("sample"))
    by_person = labels.filter(is_current=True, source__in=PERSON_SOURCES)
    by_model = labels.filter(run=run, source__in=MACHINE_SOURCES)
    rows = Consensus.objects.filter(~Exists(by_person), run=run, is_current=True, route=Route.VERIFY)
    return rows.filter(~Exists(by_model)).count(), rows.filter(Exists(by_model)).count()


def assert_counters_equal_recount(run):
    """Also that each generation's members answered each of its rows once, and that the queue holds what waits."""
    run.refresh_from_db()
    assert (run.voted, run.accepted, run.hard, run.decided) == recount(run)
    assert (run.asking, run.verified) == recount_verified(run)
    for generation in PoolGeneration.objects.filter(run=run).prefetch_related("members"):
        rows = Consensus.objects.filter(run=run, generation=generation.number).count()
        assert {member.voted + member.abstained for member in generation.members.all()} <= {rows}
    assert_history(run)
    assert_queue(run)


def assert_history(run):
    """The newest generation's consensus of a sample is the current one."""
    newest = {}
    for sample_id, number in Consensus.objects.filter(run=run).values_list("sample_id", "generation"):
        newest[sample_id] = max(number, newest.get(sample_id, 0))
    current = Consensus.objects.filter(run=run, is_current=True).values_list("sample_id", "generation")
    assert dict(current) == newest


def assert_queue(run):
    """Texts with rows to review that no person labeled are open, unless the run was cancelled; no others are."""
    if not run.is_active and run.state != "done":
        return
    rows = Consensus.objects.filter(run=run, is_current=True, route=Route.REVIEW)
    by_person = Label.objects.filter(is_current=True, source__in=PERSON_SOURCES).values("sample_id")
    waiting = set(rows.exclude(sample_id__in=by_person).values_list("sample__text_hash", flat=True))
    items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN)
    assert set(items.values_list("text_hash", flat=True)) == waiting
