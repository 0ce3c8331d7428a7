"""Reads of one chunk of votes and consensus, of what is voted on again, and the search for a budget's cut."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator_core.types import ABSTAIN, LabelSource, Route, rank_source
from labeling.datasets.chunk_queries import SampleText
from labeling.datasets.models import Sample
from labeling.labels.models import Consensus, ItemReason, ItemState, Label, Lease, ReviewItem, Verdict, Vote
from labeling.runs.models import Run
from labeling.specialists.models import SpecialistVersion

PARAMETERS = 500
PAGE = 10_000
RENEWED_ROUTES = (None, Route.ACCEPT)
"""Without a route are rows that a budget's renewal left when a newer generation came in between."""
DOUBTS = (ItemReason.HARD, ItemReason.UNCERTAIN, ItemReason.CONFLICT, ItemReason.AUDIT)
"""Why a text may leave a run's queue again; one drawn at random is reviewed whatever the pool says.

One of an audit goes like the others, so that it stands for them, but waits on without the run.
"""
PERSON_SOURCES = [source.value for source in LabelSource if rank_source(source) >= rank_source(LabelSource.IMPORTED)]
ON_ROW = ("sample_id", "sample__text_hash", "label_class_id", "uncertainty", "score", "confidence", "generation")
StoredVote = tuple[int, bytes | None, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """The last (score, text hash) that goes to review; score -1 when none does."""

    score: float
    text_hash: str


@dataclass(frozen=True, slots=True)
class ConsensusOnRow:
    """Consensus of one row that has no route yet, or may lose it."""

    sample_id: int
    text_hash: str
    class_id: int | None
    uncertainty: float
    score: float
    confidence: float
    generation: int


def known_votes(version: SpecialistVersion, samples: Sequence[SampleText], dataset_id: int) -> dict[str, StoredVote]:
    """Stored votes of the version on texts equal to a sample's: hash -> (class index or ABSTAIN, probs, reason)."""
    indices = {class_id: index for index, class_id in enumerate(version.class_ids)}
    hashes = [sample.text_hash for sample in samples]
    known: dict[str, StoredVote] = {}
    for start in range(0, len(hashes), PARAMETERS):
        part = Vote.objects.filter(
            version=version, sample__dataset_id=dataset_id, sample__text_hash__in=hashes[start : start + PARAMETERS]
        )
        for text_hash, class_id, blob, reason in part.values_list(
            "sample__text_hash", "label_class_id", "probs", "reason"
        ):
            index = indices.get(class_id, ABSTAIN)
            known[text_hash] = (index, None if blob is None else bytes(blob), reason)
    return known


def consensus_between(run: Run, low: int, high: int) -> list[ConsensusOnRow]:
    """Current consensus without a route of the rows at positions low to high."""
    rows = _unrouted(run).filter(
        sample__dataset_id=run.dataset_id, sample__position__gte=low, sample__position__lt=high
    )
    return [ConsensusOnRow(*row) for row in rows.order_by("sample__position").values_list(*ON_ROW)]


def has_unrouted(run: Run) -> bool:
    """Whether any row waits for a budget's cut."""
    return _unrouted(run).exists()


def find_cut(run: Run, check: Callable[[], None], *, is_anew: bool = False) -> Cut:
    """The cut of what is left of the run's review budget: at most that share of all rows goes to review.

    Of the rows without a route those that nobody voted on count first, for a person must decide them anyway, then the
    least certain ones, equal texts together. The first group of equal texts that does not fit ends the list. The first
    cut leaves room for the rows drawn at random, where the budget fills a hard pool. `is_anew` cuts over the open rows
    that may leave the queue, too: what is spent are decided rows, rows on a screen and rows drawn at random.
    """
    budget = run.budget_rows - run.hard
    if not run.hard and run.beta is not None and budget >= run.beta:
        budget -= run.random_rows
    budget -= _unrouted(run).filter(label_class=None).count()
    pairs = _by_score(_unrouted(run), check)
    if is_anew:
        budget += _may_leave(run).count()
        pairs = merge(pairs, _by_score(_may_leave(run), check))
    cut = Cut(-1.0, "")
    for (score, text_hash), group in groupby(pairs):
        budget -= sum(1 for _row in group)
        if budget < 0:
            break
        cut = Cut(score, text_hash)
    return cut


def _unrouted(run: Run) -> QuerySet[Consensus]:
    return Consensus.objects.filter(run=run, is_current=True, route=None)


def _may_leave(run: Run) -> QuerySet[Consensus]:
    """Voted rows to review whose text waits, that no person has begun, and that was not drawn at random."""
    return _voted_hard(run).filter(Exists(_free_items(run).filter(text_hash=OuterRef("sample__text_hash"))))


def _voted_hard(run: Run) -> QuerySet[Consensus]:
    return Consensus.objects.filter(run=run, is_current=True, route=Route.REVIEW, label_class__isnull=False)


def _free_items(run: Run) -> QuerySet[ReviewItem]:
    held = Lease.objects.filter(item=OuterRef("pk"), expires_at__gt=timezone.now())
    answered = Verdict.objects.filter(item=OuterRef("pk"), is_current=True, is_undo=False)
    free = ReviewItem.objects.filter(~Exists(held), ~Exists(answered), escalation="", assignee=None)
    return free.filter(run=run, state=ItemState.OPEN, reason__in=DOUBTS)


def _by_score(rows: QuerySet[Consensus], check: Callable[[], None]) -> Iterator[tuple[float, str]]:
    """(score, text hash) of rows with votes, rising; equal scores are sorted here, so that an index does the rest."""
    rows = rows.filter(label_class__isnull=False).order_by("score")
    pairs = rows.values_list("score", "sample__text_hash").iterator(PAGE)
    for count, (_score, equal) in enumerate(groupby(pairs, key=lambda pair: pair[0])):
        if count % PAGE == 0:
            check()
        yield from sorted(equal)


def rows_above(run: Run, border: tuple[float, str], low: int, high: int) -> list[ConsensusOnRow]:
    """All rows to review of texts that may leave the queue and are surer than `border` (score, text hash).

    The texts are those whose item names a row at positions low to high.
    """
    score, text_hash = border
    surer = Q(score__gt=score) | Q(score=score, sample__text_hash__gt=text_hash)
    named = _free_items(run).filter(sample=OuterRef("sample"))
    heads = _voted_hard(run).filter(surer, Exists(named), sample__position__gte=low, sample__position__lt=high)
    hashes = list(heads.order_by("sample__position").values_list("sample__text_hash", flat=True))
    rows: list[ConsensusOnRow] = []
    for start in range(0, len(hashes), PARAMETERS):
        copies = Consensus.objects.filter(
            run=run,
            is_current=True,
            route=Route.REVIEW,
            sample__dataset_id=run.dataset_id,
            sample__text_hash__in=hashes[start : start + PARAMETERS],
        )
        rows += [ConsensusOnRow(*row) for row in copies.order_by("sample__position").values_list(*ON_ROW)]
    return rows


def has_older_items(run: Run) -> bool:
    """Whether an open text's consensus is older than the run's newest generation."""
    return _older_items(run, run.generation).exists()


def rows_to_revote(run: Run, count: int) -> list[SampleText]:
    """The rows to review, of generations older than the run's, of its next `count` open texts in queue order."""
    items = _older_items(run, run.generation).order_by("priority", "id")
    hashes = list(items.values_list("text_hash", flat=True)[:count])
    rows: list[SampleText] = []
    for start in range(0, len(hashes), PARAMETERS):
        copies = Sample.objects.filter(dataset=run.dataset_id, text_hash__in=hashes[start : start + PARAMETERS])
        older = _older(run, run.generation).filter(sample=OuterRef("pk"), route=Route.REVIEW)
        found = copies.filter(Exists(older)).order_by("position")
        rows += [SampleText(*row) for row in found.values_list("id", "text", "text_hash")]
    return rows


def _older_items(run: Run, generation: int) -> QuerySet[ReviewItem]:
    """Open items of the run; the sample of each is a row to review, so that no other copy need be looked for."""
    older = _older(run, generation).filter(sample=OuterRef("sample"), route=Route.REVIEW)
    return ReviewItem.objects.filter(Exists(older), run=run, state=ItemState.OPEN)


def _older(run: Run, generation: int) -> QuerySet[Consensus]:
    return Consensus.objects.filter(run=run, is_current=True, generation__lt=generation)


def has_rows_to_renew(run: Run) -> bool:
    """Whether any accepted row's consensus is older than the run's newest generation."""
    return any(_to_renew(run, route).exists() for route in RENEWED_ROUTES)


def rows_to_renew(run: Run, count: int) -> list[SampleText]:
    """The next `count` accepted rows of older generations, least certain first; none that a person labeled."""
    rows: list[SampleText] = []
    for route in RENEWED_ROUTES:
        part = _to_renew(run, route).order_by("score", "sample_id")
        fields = ("sample_id", "sample__text", "sample__text_hash")
        rows += [SampleText(*row) for row in part.values_list(*fields)[: count - len(rows)]]
    return rows


def _to_renew(run: Run, route: Route | None) -> QuerySet[Consensus]:
    labeled = Label.objects.filter(sample=OuterRef("sample"), is_current=True, source__in=PERSON_SOURCES)
    return _older(run, run.generation).filter(~Exists(labeled), route=route)
