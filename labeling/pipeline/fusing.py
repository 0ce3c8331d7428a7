"""What a pool's votes and language models' answers say of texts together. Nothing is stored here."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from annotator_core.consensus.fusion import ENOUGH
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Outcome, Verdict
from annotator_core.verifiers.draws import join_models
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.answer_queries import StoredAnswer, answers_of, fusion_texts, verifier_ids, voted_texts
from labeling.labels.audit_queries import blind_answers
from labeling.labels.engine import Heard, fuse
from labeling.pipeline.ballots import stored_ballots
from labeling.pipeline.unanswered import CELLS_MOST
from labeling.quality.row_queries import fit_hashes
from labeling.refinement.queries import taught_hashes
from labeling.runs.models import Run
from labeling.runs.queries import members_of

TEXTS_MOST: Final = 20_000
"""Random texts that a fusion without an audit learns from; chosen: where one in twenty is hard, of 1,000 answers."""
Classes = Mapping[str, int | None]
"""By text hash the class that the models named together, None where they named none."""


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


def join(given: Sequence[StoredAnswer]) -> Joined:
    """The majority of the models' answers on a text; none where two classes lead, or all abstain."""
    verdict = join_models([_verdict(one) for one in given])
    return Joined(None if verdict.class_index == ABSTAIN else verdict.class_index, verdict.confidence)


def _verdict(answer: StoredAnswer) -> Verdict:
    """The answer with its class's id for an index: only equal ones are counted."""
    index = ABSTAIN if answer.class_id is None else answer.class_id
    return Verdict(0, index, Outcome(answer.outcome), answer.confidence, answer.reason)


def fuse_answered(run: Run, generation: int) -> dict[str, Fused]:
    """By text what is fused of every text of the generation that all models have answered, ruled before or not.

    So it does not matter in which parts they are ruled. The gold rows are the audit's fitting third. With too few of
    them it is fitted on random texts, hard and easy ones: none is fused where no random text has an answer, or where
    the generation voted on hard texts alone.
    """
    ids = verifier_ids(run)
    asked = [one.text_hash for one in fusion_texts(run, generation, ids)]
    class_ids = _class_ids(run, generation)
    blind = blind_answers(run.dataset_id, fit_hashes(run.dataset_id) & set(asked))
    gold = {text_hash: one.class_id for text_hash, one in blind.items() if one.class_id in class_ids}
    if len(gold) >= ENOUGH:
        return _fuse(run, generation, asked, _joined(run, asked, ids), gold=gold, crowd=None)
    crowd = _crowd(run, generation, without=gold) if _votes_on_random_texts(run, generation) else []
    answers = _joined(run, {*asked, *crowd}, ids)
    if not any(answers.get(text_hash) for text_hash in crowd):
        return {}
    return _fuse(run, generation, asked, answers, gold=gold, crowd=crowd)


def fuse_piloted(run: Run, generation: int, answers: Classes) -> dict[str, Fused] | None:
    """The same of texts that a pilot asked about, fitted without gold on them and random texts of the run.

    None where the generation voted on hard texts alone, for among those nobody can tell which specialist errs, and
    where votes on these texts are gone.
    """
    asked = sorted(answers)
    if not _votes_on_random_texts(run, generation):
        return None
    if len(stored_ballots(run, generation, _samples(asked))) < len(asked):
        return None
    crowd = sorted({*asked, *_crowd(run, generation, without=())})
    return _fuse(run, generation, asked, answers, gold={}, crowd=crowd)


def _votes_on_random_texts(run: Run, generation: int) -> bool:
    """Whether the generation's specialists voted on accepted texts, too, and not on what was left open alone."""
    return _version_ids(run, generation) <= _version_ids(run, run.renewed)


def _crowd(run: Run, generation: int, *, without: Collection[str]) -> list[str]:
    """Random texts outside the audit frame that the generation's specialists voted on and none was trained on."""
    versions = _version_ids(run, generation)
    most = min(TEXTS_MOST, CELLS_MOST // (len(versions) * len(_class_ids(run, generation))))
    out = {*without, *taught_hashes(versions)}
    return [text_hash for text_hash in voted_texts(run, sorted(versions), most) if text_hash not in out]


def _joined(run: Run, hashes: Iterable[str], ids: Sequence[int]) -> Classes:
    """The class on each of the texts that all models have answered."""
    given = answers_of(run, hashes)
    return {text_hash: join(said).class_id for text_hash, said in given.items() if len(said) == len(ids)}


def _fuse(
    run: Run,
    generation: int,
    asked: Sequence[str],
    answers: Classes,
    *,
    gold: Mapping[str, int],
    crowd: Sequence[str] | None,
) -> dict[str, Fused]:
    class_ids = _class_ids(run, generation)
    places = defaultdict(lambda: ABSTAIN, {class_id: index for index, class_id in enumerate(class_ids)})

    def hear(hashes: Sequence[str]) -> Heard:
        ballots = stored_ballots(run, generation, _samples(hashes))
        return Heard(ballots, [places[answers.get(text_hash) or ABSTAIN] for text_hash in hashes])

    found = fuse(
        hear(asked),
        gold=[places[gold.get(text_hash, ABSTAIN)] for text_hash in asked],
        crowd=None if crowd is None else hear(crowd),
    )
    return {
        text_hash: Fused(class_ids[index], confidence, is_measured=crowd is None)
        for text_hash, (index, confidence) in zip(asked, found, strict=True)
        if index != ABSTAIN
    }


def _samples(hashes: Iterable[str]) -> list[SampleText]:
    return [SampleText(0, "", text_hash) for text_hash in hashes]


def _class_ids(run: Run, generation: int) -> list[int]:
    return list(members_of(run, generation)[0].version.class_ids)


def _version_ids(run: Run, generation: int) -> set[int]:
    return {member.version_id for member in members_of(run, generation)}
