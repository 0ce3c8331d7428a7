"""What a language model answers on a run's hard rows, and what follows: a label, or a place in the people's queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q
from django.utils import timezone

from annotator_core.types import LabelSource, Route
from labeling.labels.actions.items import open_items
from labeling.labels.actions.labels import LabelRow, batched_ids, set_labels
from labeling.labels.actions.news import announce
from labeling.labels.actions.rows import ConsensusRow, as_routed, person_labeled
from labeling.labels.actions.waiting import follow_review
from labeling.labels.answer_queries import ALL_ELSE, NOTHING_ELSE, rows_of, rows_to_rule
from labeling.labels.chunk_queries import ConsensusOnRow
from labeling.labels.models import Consensus, ItemReason, VerifierAnswer
from labeling.llm.models import Connection
from labeling.llm.queries import call_ids
from labeling.runs.actions import add_counts
from labeling.runs.models import Run
from labeling.web.bulk import insert_rows

FIELDS = (
    "run_id",
    "sample_id",
    "connection_id",
    "text_hash",
    "model",
    "prompt_version",
    "label_class_id",
    "confidence",
    "outcome",
    "reason",
    "call_id",
    "created_at",
)


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer on a text. `class_id` is None where the model abstained; then `outcome` and `reason` say why.

    `call_key` is the key of the last call behind it (engine: verifiers.contract.Call), empty where there was none.
    """

    sample_id: int
    text_hash: str
    class_id: int | None
    confidence: float | None
    outcome: str
    reason: str
    call_key: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from the answers on a text: a label with its confidence, or a person where the class is None.

    `is_conflict` says that the models contradict a pool that was sure.
    """

    text_hash: str
    class_id: int | None
    confidence: float | None = None
    is_conflict: bool = False


def record_answers(*, run: Run, connection: Connection, prompt_version: str, rows: Sequence[AnswerRow]) -> None:
    """Store the connection's answers; one that is there already stays. What follows is for `settle_texts`."""
    calls = call_ids(run.project_id, [row.call_key for row in rows if row.call_key])
    now, ends = timezone.now(), (run.pk, connection.pk, connection.model, prompt_version)
    insert_rows(VerifierAnswer, FIELDS, [_values(row, ends, calls.get(row.call_key), now) for row in rows])


def settle_texts(*, run: Run, rulings: Sequence[Ruling], source: LabelSource, also: Q = NOTHING_ELSE) -> int:
    """Label the rows of these texts that wait for the model, or send them to people; returns how many rows.

    Rows that a person labeled meanwhile stay as they are; of those in `also` (answer_queries.rows_to_rule) it is kept
    what would have become of them. The run is locked by the caller.
    """
    found = {ruling.text_hash: ruling for ruling in rulings}
    rows = rows_of(run, found, also)
    known = person_labeled(row.sample_id for row in rows)
    doubted = [row for row in rows if found[row.text_hash].class_id is None]
    _turn_to_people(run, doubted)
    decided = open_items(run, [_as_doubted(row, found) for row in doubted if row.sample_id not in known])
    labels = _labels(run, rows, found)
    set_labels(rows=labels, source=source)
    verified = sum(label.sample_id not in known for label in labels)
    add_counts(run_id=run.pk, asking=len(known) - len(rows), verified=verified, decided=decided)
    follow_review([run.pk])
    announce({run.pk})
    return len(rows)


def turn_to_people(*, run: Run, count: int) -> int:
    """Send the texts of the next `count` rows that wait for the model to people instead; returns how many rows.

    0 when none is left. What was answered stays. The run is locked by the caller.
    Rows that a person labeled are not asked about any more either: a few of an audit would stop it again at once.
    """
    rows = rows_to_rule(run, ALL_ELSE).order_by("score", "sample_id")
    hashes = dict.fromkeys(rows.values_list("sample__text_hash", flat=True)[:count])
    rulings = [Ruling(text_hash, None) for text_hash in hashes]
    return settle_texts(run=run, rulings=rulings, source=LabelSource.VERIFIER, also=ALL_ELSE)


def _labels(run: Run, rows: Sequence[ConsensusOnRow], found: Mapping[str, Ruling]) -> list[LabelRow]:
    ruled = [(row, found[row.text_hash]) for row in rows]
    return [
        LabelRow(row.sample_id, ruling.class_id, ruling.confidence, run_id=run.pk, generation=row.generation)
        for row, ruling in ruled
        if ruling.class_id is not None
    ]


def _as_doubted(row: ConsensusOnRow, found: Mapping[str, Ruling]) -> ConsensusRow:
    """The row as people get it; where the models contradict a sure pool, they are told."""
    hard = as_routed(row, is_hard=True)
    return replace(hard, reason=ItemReason.CONFLICT) if found[row.text_hash].is_conflict else hard


def _turn_to_people(run: Run, rows: Sequence[ConsensusOnRow]) -> None:
    for ids in batched_ids(row.sample_id for row in rows):
        here = Consensus.objects.filter(run=run, is_current=True, route=Route.VERIFY, sample_id__in=ids)
        here.update(route=Route.REVIEW)


def _values(row: AnswerRow, ends: tuple[object, ...], call_id: int | None, now: object) -> tuple[object, ...]:
    run_id, connection_id, model, version = ends
    given = (row.class_id, row.confidence, row.outcome, row.reason, call_id, now)
    return (run_id, row.sample_id, connection_id, row.text_hash, model, version, *given)
