"""The filters of the samples list as conditions on samples; those about people are conditions on review items.

Each looks a sample's rows up by an index, one sample after the other (`first`): what a page costs follows from the rows
that it looks through. EXISTS would leave PostgreSQL free to read a whole table first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.lookups import Exact, GreaterThan, In, IsNull

from labeling.datasets.models import Dataset
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem, Verdict, VerifierAnswer, Vote
from labeling.overview.samples.blind import BY_PERSON, IS_TOLD, WAITING, first
from labeling.overview.samples.values import ABSTAINED, OTHER_THAN_LABEL, FilterValues
from labeling.review.models import Return, Skip
from labeling.runs.models import Run
from labeling.runs.queries import newest_run
from labeling.specialists.models import SpecialistVersion

QUEUE_STATES = frozenset({"review", "returned", "skipped", "desk", "flagged", "conflict"})
BY_MACHINE = ("consensus", "verifier", "fused")
LABEL = Label.objects.filter(sample=OuterRef("pk"), is_current=True)
STANDING = Verdict.objects.filter(is_current=True, is_undo=False, is_stale=False)


def label_conditions(values: FilterValues) -> Iterator[Q]:
    """What is asked of a sample's current label."""
    source = first(LABEL, "source")
    states = {"accepted": In(source, BY_MACHINE), "decided": In(source, BY_PERSON), "unlabeled": IsNull(source, True)}
    if values.state in states:
        yield Q(states[values.state])
    if values.source:
        yield Q(Exact(source, values.source))
    if values.label_class:
        yield Q(Exact(first(LABEL, "label_class"), values.label_class))


def machine_conditions(dataset: Dataset, values: FilterValues) -> Iterator[Q]:
    """What is asked of votes and of what pool and language models made of them."""
    if values.specialist:
        yield _vote_condition(dataset, values)
    if values.disagreement in {"specialists", "label", "verifier"}:
        run = newest_run(dataset)
        yield _disagreement_condition(run, values.disagreement) if run else Q(pk=None)


@dataclass(frozen=True, slots=True)
class ItemCondition:
    """What is asked of a text's review items, twice: `probe` finds them by text, `rare` all of them by an index.

    `rare` is None where no index leads to them: then they are looked for among all rows.
    """

    probe: QuerySet[ReviewItem]
    rare: QuerySet[ReviewItem] | None


def item_conditions(dataset: Dataset, values: FilterValues) -> Iterator[ItemCondition]:
    """The filters about people."""
    items = ReviewItem.objects.filter(dataset=dataset)
    if values.state in QUEUE_STATES:
        yield _queue_condition(dataset, values.state)
    if values.annotator:
        told = items.filter(IS_TOLD)
        # The sum keeps SQLite from reading all that the person ever answered for each of the items.
        theirs = STANDING.alias(who=F("user_id") + 0).filter(item=OuterRef("pk"), who=values.annotator)
        mine = STANDING.filter(user=values.annotator)
        yield ItemCondition(told.filter(Exists(theirs)), told.filter(pk__in=mine.values("item")))
    if values.disagreement == "people":
        differ = STANDING.filter(item=OuterRef("pk")).order_by().values("item")
        differ = differ.annotate(n=Count("label_class", distinct=True)).filter(n__gt=1)
        yield ItemCondition(items.filter(Exists(differ.values("item"))).exclude(state=ItemState.OPEN), None)


def _queue_condition(dataset: Dataset, state: str) -> ItemCondition:
    """Items that wait for a person: all of them, or those that were skipped, sent back, or are on the desk.

    Only `rare` names the project: with it the queue's own indexes are at hand, which lead to no single text.
    """
    probe = ReviewItem.objects.filter(WAITING, dataset=dataset)
    rare = probe.filter(project=dataset.project_id)
    if state == "review":
        return ItemCondition(probe, rare)
    if state in {"skipped", "returned"}:
        rows: QuerySet[Any] = Skip.objects.filter(ended_at=None) if state == "skipped" else Return.objects.all()
        return ItemCondition(
            probe.filter(Exists(rows.filter(item=OuterRef("pk")))), rare.filter(pk__in=rows.values("item"))
        )
    desk = rare.exclude(escalation="")  # as the index of the desk has it
    if state == "desk":
        return ItemCondition(probe.exclude(escalation=""), desk)
    return ItemCondition(probe.filter(escalation=state), desk.filter(escalation=state))


def _vote_condition(dataset: Dataset, values: FilterValues) -> Q:
    """The newest version of the specialist that voted on the sample counts."""
    versions = SpecialistVersion.objects.filter(specialist=values.specialist, specialist__project=dataset.project_id)
    votes = Vote.objects.filter(sample=OuterRef("pk"), version__in=list(versions.values_list("id", flat=True)))
    has_voted, cast = Q(IsNull(first(votes, "pk"), False)), first(votes.order_by("-version_id"), "label_class")
    if not values.vote:
        return has_voted
    if values.vote == ABSTAINED:
        return has_voted & Q(IsNull(cast, True))
    return (
        _differ(cast, first(LABEL, "label_class"))
        if values.vote == OTHER_THAN_LABEL
        else Q(Exact(cast, int(values.vote)))
    )


def _disagreement_condition(run: Run, kind: str) -> Q:
    """By the pool of the newest run: it is not of one mind, or a language model or the label says something else."""
    said = Consensus.objects.filter(run=run, sample=OuterRef("pk"), is_current=True)
    if kind == "specialists":
        return Q(GreaterThan(first(said, "uncertainty"), 0))
    answers = VerifierAnswer.objects.filter(run=run, text_hash=OuterRef("text_hash")).exclude(label_class=None)
    return _differ(first(said, "label_class"), first(LABEL if kind == "label" else answers, "label_class"))


def _differ(one: Any, other: Any) -> Q:
    """Both are there and not the same."""
    return Q(IsNull(one, False)) & Q(IsNull(other, False)) & ~Q(Exact(one, other))
