"""The run's counters against a recount of the rows."""

from annotator_core.types import Route
from labeling.labels.actions.votes import PERSON_SOURCES
from labeling.labels.models import Consensus, Label
from labeling.runs.queries import pool_of


def recount(run):
    """voted, accepted, hard, decided from the rows themselves."""
    rows = Consensus.objects.filter(run=run)
    hard = rows.filter(route=Route.REVIEW).values("sample_id")
    by_person = Label.objects.filter(sample_id__in=hard, is_current=True, source__in=PERSON_SOURCES)
    return rows.count(), rows.filter(route=Route.ACCEPT).count(), hard.count(), by_person.count()


def assert_counters_equal_recount(run):
    """Also that every member answered every row once."""
    run.refresh_from_db()
    assert (run.voted, run.accepted, run.hard, run.decided) == recount(run)
    assert [member.voted + member.abstained for member in pool_of(run)] == [run.voted] * len(pool_of(run))
