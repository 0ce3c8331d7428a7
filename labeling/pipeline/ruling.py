"""What follows from a language model's answers on a text: its label, or a person. Nothing is stored here."""

from collections.abc import Collection, Mapping

from django.db.models import Exists, OuterRef, Q

from annotator_core.types import LabelSource
from labeling.labels.actions.answers import Ruling
from labeling.labels.answer_queries import answers_of, rows_of
from labeling.labels.chunk_queries import ConsensusOnRow
from labeling.pipeline.fusing import Fused, Joined, fuse_answered, join
from labeling.quality.models import AuditRow
from labeling.runs.models import AnswerUse, Mode, Run
from labeling.runs.policies import CONFIDENT_FROM

DRAWN = Q(Exists(AuditRow.objects.filter(dataset=OuterRef("sample__dataset"), text_hash=OuterRef("sample__text_hash"))))
"""Rows of an audit: they are asked about also when a person has answered, for that answer measures the model."""


def source_of(run: Run) -> LabelSource:
    """The source of the labels that rest on the run's models."""
    return LabelSource.FUSED if run.answer_use == AnswerUse.FUSE else LabelSource.VERIFIER


def rule(run: Run, hashes: Collection[str]) -> list[Ruling]:
    """A ruling for each of these answered texts, by hash: the same for the same stored rows."""
    rows = {row.text_hash: row for row in reversed(rows_of(run, hashes, DRAWN))}
    answers = {text_hash: join(given) for text_hash, given in answers_of(run, rows).items()}
    fused = _fuse(run, rows) if run.answer_use == AnswerUse.FUSE else {}
    rulings = []
    for text_hash, joined in sorted(answers.items()):
        found = fused.get(text_hash, joined)
        is_sure = run.mode == Mode.LLM or _is_sure(run, joined, found, rows[text_hash])
        if joined.class_id is None or not is_sure:
            rulings.append(Ruling(text_hash, None, is_conflict=_is_against(joined, rows[text_hash])))
        else:
            rulings.append(Ruling(text_hash, found.class_id, found.confidence))
    return rulings


def _is_sure(run: Run, joined: Joined, found: Joined | Fused, row: ConsensusOnRow) -> bool:
    """Whether no person need look: the confidence reaches the run's, and no confident pool says something else.

    Nobody knows how sure a model without a confidence is: then only a run that asks for none takes its word. A fusion
    that no audit has measured takes its voters for independent and is far too sure of itself: it may not overrule the
    model, and how sure that is itself is what counts.
    """
    is_unmeasured = isinstance(found, Fused) and not found.is_measured
    if is_unmeasured and found.class_id != joined.class_id:
        return False
    confidence = joined.confidence if is_unmeasured else found.confidence
    return (confidence or 0.0) >= run.sure_from and not _is_against(joined, row)


def _is_against(joined: Joined, row: ConsensusOnRow) -> bool:
    """Whether the models contradict a confident pool."""
    is_other = None not in {row.class_id, joined.class_id} and row.class_id != joined.class_id
    return is_other and (row.confidence or 0.0) >= CONFIDENT_FROM


def _fuse(run: Run, rows: Mapping[str, ConsensusOnRow]) -> dict[str, Fused]:
    """What the fusion of each generation's pool with the answers says, by text."""
    found: dict[str, Fused] = {}
    for generation in sorted({row.generation for row in rows.values()}):
        wanted = {text_hash for text_hash, row in rows.items() if row.generation == generation}
        found |= {h: one for h, one in fuse_answered(run, generation).items() if h in wanted}
    return found
