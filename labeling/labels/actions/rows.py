"""Votes and consensus as they are stored: plain rows, many in one statement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from annotator_core.types import Route
from labeling.labels.actions.labels import batched_ids
from labeling.labels.chunk_queries import PERSON_SOURCES, ConsensusOnRow
from labeling.labels.models import Consensus, ItemReason, Label, Vote
from labeling.runs.models import Run
from labeling.web.bulk import insert_rows

VOTE_FIELDS = ("sample_id", "version_id", "label_class_id", "top_probability", "probs", "reason")
CONSENSUS_FIELDS = (
    "run_id",
    "sample_id",
    "generation",
    "is_current",
    "label_class_id",
    "uncertainty",
    "score",
    "confidence",
    "route",
)


@dataclass(frozen=True, slots=True)
class VoteRow:
    """One version's answer on one sample; `class_id` and `probs` are None for an abstention with its reason."""

    sample_id: int
    version_id: int
    class_id: int | None
    top_probability: float | None
    probs: bytes | None
    reason: str


@dataclass(frozen=True, slots=True)
class ConsensusRow:
    """The pool's answer on one sample. `is_hard` is None while a budget's cut is not known yet."""

    sample_id: int
    text_hash: str
    class_id: int | None
    uncertainty: float
    score: float
    confidence: float
    is_hard: bool | None
    reason: ItemReason = ItemReason.HARD


def as_routed(row: ConsensusOnRow, *, is_hard: bool) -> ConsensusRow:
    """A stored consensus with the route that it gets now; who reviews it is told whether the specialists disagree."""
    return ConsensusRow(
        sample_id=row.sample_id,
        text_hash=row.text_hash,
        class_id=row.class_id,
        uncertainty=row.uncertainty,
        score=row.score,
        confidence=row.confidence,
        is_hard=is_hard,
        reason=ItemReason.HARD if row.uncertainty > 0 else ItemReason.UNCERTAIN,
    )


def store_votes(votes: Iterable[VoteRow]) -> None:
    """Store the votes; one that is there already stays."""
    insert_rows(
        Vote,
        VOTE_FIELDS,
        [(v.sample_id, v.version_id, v.class_id, v.top_probability, v.probs, v.reason) for v in votes],
    )


def hard_route(run: Run) -> Route:
    """Where the run's hard rows go first: to a language model where it has one, else to people."""
    return Route.VERIFY if run.has_verifier else Route.REVIEW


def store_consensus(run: Run, generation: int, rows: Sequence[ConsensusRow], *, hard: Route | None = None) -> None:
    """Store the pool's answers as the current ones of their samples; those of older generations become history.

    `hard` is the route of hard rows, where it is not the first one of the run.
    """
    route = hard or hard_route(run)
    if generation:
        for ids in batched_ids(row.sample_id for row in rows):
            older = Consensus.objects.filter(run=run, sample_id__in=ids, is_current=True, generation__lt=generation)
            older.update(is_current=False)
    insert_rows(
        Consensus,
        CONSENSUS_FIELDS,
        [
            (run.pk, r.sample_id, generation, True, r.class_id, r.uncertainty, r.score, r.confidence, _route(r, route))
            for r in rows
        ],
    )


def _route(row: ConsensusRow, hard: Route) -> str | None:
    if row.is_hard is None:
        return None
    return hard.value if row.is_hard else Route.ACCEPT.value


def person_labeled(sample_ids: Iterable[int]) -> set[int]:
    """Those samples whose current label a person gave (or that came in verified)."""
    labeled: set[int] = set()
    for ids in batched_ids(sample_ids):
        part = Label.objects.filter(sample_id__in=ids, is_current=True, source__in=PERSON_SOURCES)
        labeled.update(part.values_list("sample_id", flat=True))
    return labeled
