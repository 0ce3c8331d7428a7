"""Storing what the pool said: votes, consensus, routes, and what follows from a route."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from annotator_core.types import LabelSource, Route, rank_source
from labeling.datasets.models import Dataset, Sample
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Consensus, ItemReason, ItemState, Label, ReviewItem, Vote
from labeling.runs.actions import add_counts
from labeling.runs.models import Run
from labeling.web.bulk import insert_rows

PARAMETERS = 500
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
ITEM_FIELDS = (
    "project_id",
    "dataset_id",
    "sample_id",
    "run_id",
    "text_hash",
    "reason",
    "is_blind",
    "needed",
    "priority",
    "copies",
    "state",
    "version",
)
PERSON_SOURCES = [source.value for source in LabelSource if rank_source(source) >= rank_source(LabelSource.IMPORTED)]


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


def record_votes(
    *, run: Run, generation: int, votes: Sequence[VoteRow], rows: Sequence[ConsensusRow], truncated: int
) -> None:
    """Store a chunk's votes and consensus in the transaction that finishes it; route the rows whose route is known."""
    insert_rows(
        Vote,
        VOTE_FIELDS,
        [(v.sample_id, v.version_id, v.class_id, v.top_probability, v.probs, v.reason) for v in votes],
    )
    insert_rows(
        Consensus,
        CONSENSUS_FIELDS,
        [
            (run.pk, r.sample_id, generation, True, r.class_id, r.uncertainty, r.score, r.confidence, _route(r))
            for r in rows
        ],
    )
    add_counts(run_id=run.pk, voted=len(rows), truncated=truncated)
    _follow_routes(run, generation, [row for row in rows if row.is_hard is not None])


def record_routes(*, run: Run, generation: int, rows: Sequence[ConsensusRow]) -> None:
    """Store the routes that the budget's cut gives to rows voted on before."""
    for is_hard in (True, False):
        ids = [row.sample_id for row in rows if row.is_hard is is_hard]
        for start in range(0, len(ids), PARAMETERS):
            part = Consensus.objects.filter(
                run=run, generation=generation, route=None, sample_id__in=ids[start : start + PARAMETERS]
            )
            part.update(route=Route.REVIEW if is_hard else Route.ACCEPT)
    _follow_routes(run, generation, rows)


def _route(row: ConsensusRow) -> str | None:
    if row.is_hard is None:
        return None
    return Route.REVIEW.value if row.is_hard else Route.ACCEPT.value


def _follow_routes(run: Run, generation: int, rows: Sequence[ConsensusRow]) -> None:
    """ACCEPT writes the label, REVIEW makes an item a text; then the run's counters."""
    accepted = [row for row in rows if not row.is_hard]
    hard = [row for row in rows if row.is_hard]
    labels = [
        LabelRow(row.sample_id, row.class_id, row.confidence, run_id=run.pk, generation=generation)
        for row in accepted
        if row.class_id is not None
    ]
    set_labels(rows=labels, source=LabelSource.CONSENSUS)
    decided = _open_items(run, hard)
    add_counts(run_id=run.pk, accepted=len(accepted), hard=len(hard), decided=decided)


def _open_items(run: Run, hard: Sequence[ConsensusRow]) -> int:
    """One open item for each text that no person has decided; how many of the rows a person had decided already.

    A verdict or an undo on a copy may be on its way: labels are read only while the texts' items are locked, once for
    the items that are there and once for those that came meanwhile, so that either the verdict counts this row or
    this call does, never both or neither.
    """
    _lock_closed_items(run, sorted({row.text_hash for row in hard}))
    known = _person_labeled([row.sample_id for row in hard])
    waiting = [row for row in hard if row.sample_id not in known]
    first = {row.text_hash: row for row in reversed(waiting)}
    insert_rows(ReviewItem, ITEM_FIELDS, _item_rows(run, first))
    closed = _lock_closed_items(run, list(first))
    late = _person_labeled([row.sample_id for row in waiting if row.text_hash in closed])
    return len(known) + len(late)


def _item_rows(run: Run, first: dict[str, ConsensusRow]) -> list[tuple[object, ...]]:
    dataset = run.dataset
    copies = _count_copies(dataset, list(first))
    return [
        (
            *(run.project_id, dataset.pk, row.sample_id, run.pk, text_hash, row.reason.value),
            *(
                run.has_frame and text_hash <= dataset.frame_until,
                1,
                row.score,
                copies.get(text_hash, 1),
                ItemState.OPEN.value,
                0,
            ),
        )
        for text_hash, row in sorted(first.items())
    ]


def _count_copies(dataset: Dataset, hashes: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for start in range(0, len(hashes), PARAMETERS):
        part = Sample.objects.filter(dataset=dataset, text_hash__in=hashes[start : start + PARAMETERS])
        counts.update(part.values_list("text_hash").annotate(n=Count("id")).values_list("text_hash", "n"))
    return counts


def _lock_closed_items(run: Run, hashes: list[str]) -> set[str]:
    """Lock the run's items of these texts, in one order; those that are decided already."""
    closed: set[str] = set()
    for start in range(0, len(hashes), PARAMETERS):
        items = ReviewItem.objects.select_for_update().filter(run=run, text_hash__in=hashes[start : start + PARAMETERS])
        found = items.order_by("id").values_list("text_hash", "state")
        closed.update(text_hash for text_hash, state in found if state == ItemState.DECIDED)
    return closed


def _person_labeled(sample_ids: list[int]) -> set[int]:
    """Those samples whose current label a person gave (or that came in verified)."""
    labeled: set[int] = set()
    for start in range(0, len(sample_ids), PARAMETERS):
        part = Label.objects.filter(
            sample_id__in=sample_ids[start : start + PARAMETERS], is_current=True, source__in=PERSON_SOURCES
        )
        labeled.update(part.values_list("sample_id", flat=True))
    return labeled
