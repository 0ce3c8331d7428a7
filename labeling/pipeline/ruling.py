"""What follows from a language model's answers on a text: its label, or a person. Nothing is stored here."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from annotator_core.consensus.fusion import ENOUGH
from annotator_core.types import ABSTAIN, LabelSource
from annotator_core.verifiers.contract import Outcome, Verdict
from annotator_core.verifiers.draws import join_models
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.actions.answers import Ruling
from labeling.labels.answer_queries import StoredAnswer, answers_of, fusion_texts, rows_of, verifier_ids
from labeling.labels.audit_queries import blind_answers
from labeling.labels.chunk_queries import ConsensusOnRow
from labeling.labels.engine import fuse
from labeling.pipeline.ballots import stored_ballots
from labeling.quality.models import AuditRow
from labeling.quality.row_queries import fit_hashes
from labeling.runs.models import AnswerUse, Mode, Run
from labeling.runs.policies import CONFIDENT_FROM
from labeling.runs.queries import members_of

DRAWN = Q(Exists(AuditRow.objects.filter(dataset=OuterRef("sample__dataset"), text_hash=OuterRef("sample__text_hash"))))
"""Rows of an audit: they are asked about also when a person has answered, for that answer measures the model."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a run's models say of a text together: the class is None where they abstain."""

    class_id: int | None
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Fused:
    """What the fusion makes of a text; `is_measured` where the audit's answers taught it how sure it may be."""

    class_id: int
    confidence: float
    is_measured: bool


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


def join(given: Sequence[StoredAnswer]) -> Joined:
    """The majority of the models' answers on a text; none where two classes lead, or all abstain."""
    verdict = join_models([_verdict(one) for one in given])
    return Joined(None if verdict.class_index == ABSTAIN else verdict.class_index, verdict.confidence)


def _verdict(answer: StoredAnswer) -> Verdict:
    """The answer with its class's id for an index: only equal ones are counted."""
    index = ABSTAIN if answer.class_id is None else answer.class_id
    return Verdict(0, index, Outcome(answer.outcome), answer.confidence, answer.reason)


def _is_sure(run: Run, joined: Joined, found: Joined | Fused, row: ConsensusOnRow) -> bool:
    """Whether no person need look: the confidence reaches the run's, and no confident pool says something else.

    Nobody knows how sure a model without a confidence is: then only a run that asks for none takes its word. A fusion
    that no audit has measured takes its voters for independent and is far too sure of itself: it may not overrule the
    model.
    """
    if (found.confidence or 0.0) < run.sure_from:
        return False
    if isinstance(found, Fused) and not found.is_measured and found.class_id != joined.class_id:
        return False
    return not _is_against(joined, row)


def _is_against(joined: Joined, row: ConsensusOnRow) -> bool:
    """Whether the models contradict a confident pool."""
    is_other = None not in {row.class_id, joined.class_id} and row.class_id != joined.class_id
    return is_other and (row.confidence or 0.0) >= CONFIDENT_FROM


def _fuse(run: Run, rows: Mapping[str, ConsensusOnRow]) -> dict[str, Fused]:
    """What the fusion of each generation's pool with the answers says, by text."""
    found: dict[str, Fused] = {}
    for generation in sorted({row.generation for row in rows.values()}):
        wanted = {text_hash for text_hash, row in rows.items() if row.generation == generation}
        found |= {h: one for h, one in _fuse_generation(run, generation).items() if h in wanted}
    return found


def _fuse_generation(run: Run, generation: int) -> dict[str, Fused]:
    """Fitted on every text of the generation that all models have answered, ruled before or not.

    So it does not matter in which parts they are ruled. The gold rows are the audit's fitting third.
    """
    texts = [SampleText(one.sample_id, "", one.text_hash) for one in fusion_texts(run, generation, verifier_ids(run))]
    class_ids = list(members_of(run, generation)[0].version.class_ids)
    places = defaultdict(lambda: ABSTAIN, {class_id: index for index, class_id in enumerate(class_ids)})
    answers = {text_hash: join(given).class_id for text_hash, given in answers_of(run, _hashes(texts)).items()}
    gold = blind_answers(run.dataset_id, fit_hashes(run.dataset_id) & set(_hashes(texts)))
    fused = fuse(
        stored_ballots(run, generation, texts),
        answers=[places[answers[one.text_hash] or ABSTAIN] for one in texts],
        gold=[places[gold[one.text_hash].class_id] if one.text_hash in gold else ABSTAIN for one in texts],
    )
    return {
        text.text_hash: Fused(class_ids[index], confidence, is_measured=len(gold) >= ENOUGH)
        for text, (index, confidence) in zip(texts, fused, strict=True)
        if index != ABSTAIN
    }


def _hashes(texts: Sequence[SampleText]) -> list[str]:
    return [text.text_hash for text in texts]
