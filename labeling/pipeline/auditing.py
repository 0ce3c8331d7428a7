"""What an audit knows of a run: the newest pool's votes on every drawn text, people's answers, what became of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.utils import timezone

from annotator_core.arrays import IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.types import ABSTAIN, Route
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.actions.rows import VoteRow
from labeling.labels.answer_queries import answers_of
from labeling.labels.audit_queries import (
    BlindAnswer,
    blind_answers,
    count_accepted_by_people,
    imported_answers,
    seen_labels,
)
from labeling.labels.chunk_queries import known_votes
from labeling.pipeline.ballots import Answers, align_ballots, ask_pool
from labeling.pipeline.fates import fates_now
from labeling.pipeline.fusing import join
from labeling.pipeline.hand import Hand
from labeling.pipeline.reviewed import Lesson, read_lesson
from labeling.pipeline.unanswered import unanswered_ballots
from labeling.projects.models import LabelClass, ReviewOrder
from labeling.quality.engine.measuring import About, measure
from labeling.quality.engine.race import TARGETS
from labeling.quality.engine.sheet import Sheet, Way
from labeling.quality.figures import Notice
from labeling.quality.measured import Measured
from labeling.quality.notices import SEEN_LABELS
from labeling.quality.people_queries import PersonsAnswer, people_answers
from labeling.quality.queries import first_generation, frame_texts, looks_at
from labeling.quality.row_queries import DrawnText, Wholeness, drawn_texts, fates_of, undrawn_texts, wholeness
from labeling.refinement.queries import taught_hashes
from labeling.runs.models import Aggregator, AnswerUse, PoolGeneration, PoolMember, Run
from labeling.runs.queries import generation_numbered, members_of

MACHINE_ROUTES = (Route.ACCEPT, Route.VERIFY)
"""Routes whose labels no person gave: the pool's, and a language model's."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """Votes to store on drawn texts, and what they and the answers say; None while nothing can be said."""

    votes: list[VoteRow]
    measured: Measured | None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read and asked, by text hash where not told otherwise.

    `silent`: members whose weights are gone, and the drawn texts that they never voted on. `taught`: texts that a
    member of the pool was trained on. `said`: the classes that the run's language models gave to texts. `kept`:
    answered texts of the run that can be measured. `read_at`: when the answers were read. `unanswered`: votes on
    texts that no audit has drawn; `lesson`: on those that people reviewed.
    """

    run: Run
    generation: PoolGeneration
    members: Sequence[PoolMember]
    texts: Sequence[DrawnText]
    answers: Mapping[str, BlindAnswer]
    read_at: datetime
    people: Sequence[PersonsAnswer]
    pool: Answers
    silent: Collection[str]
    taught: Collection[str]
    said: Mapping[str, int | None]
    whole: Wholeness
    unanswered: Ballots | None
    lesson: Lesson

    @property
    def class_ids(self) -> list[int]:
        """The classes in the order of the pool's ballots."""
        return list(self.members[0].version.class_ids)

    @property
    def here(self) -> list[DrawnText]:
        """Drawn texts among the run's rows."""
        return [text for text in self.texts if text.copies]

    @property
    def kept(self) -> list[DrawnText]:
        """Those that are answered, that every member voted on, and that taught none of them."""
        out = {*self.silent, *self.taught}
        return [text for text in self.here if text.text_hash in self.answers and text.text_hash not in out]

    @property
    def left_out(self) -> set[str]:
        """Answered texts of the run that cannot be measured; then the others are no random sample."""
        kept = {text.text_hash for text in self.kept}
        return {text.text_hash for text in self.here if text.text_hash in self.answers} - kept


def assess(run: Run, hand: Hand) -> Assessed:
    """Ask the newest pool for the missing votes and measure. Raises StopWork, and AnnotatorError's children."""
    audit = _read(run, hand)
    hand.check()
    votes = audit.pool.votes()
    if not audit.kept:
        return Assessed(votes, None)
    return Assessed(votes, measure(_sheet(audit), _about(audit)))


def _read(run: Run, hand: Hand) -> Reading:
    texts = drawn_texts(run)
    hashes = [text.text_hash for text in texts]
    generation = generation_numbered(run, run.generation)
    members = members_of(run, generation.number)
    read_at = timezone.now()
    answers = blind_answers(run.dataset_id, hashes)
    samples = [SampleText(text.sample_id, text.text, text.text_hash) for text in texts]
    silent = _silent(run, members, samples)
    here = [text for text in texts if text.copies]
    taught = taught_hashes(member.version_id for member in members)
    return Reading(
        run=run,
        generation=generation,
        members=members,
        texts=texts,
        answers=answers,
        read_at=read_at,
        people=people_answers(run.dataset_id, hashes),
        pool=ask_pool(run, generation.number, [one for one in samples if one.text_hash not in silent], hand),
        silent=silent,
        taught=taught & set(hashes),
        said={text_hash: join(given).class_id for text_hash, given in answers_of(run, hashes).items()},
        whole=wholeness(run.dataset_id, here, answers, undrawn_texts(run.dataset, run, hashes)),
        unanswered=unanswered_ballots(run, members, taught),
        lesson=read_lesson(run, members, taught),
    )


def _silent(run: Run, members: Sequence[PoolMember], samples: Sequence[SampleText]) -> set[str]:
    """Texts without a vote of a member whose weights were removed: nobody can ask it any more."""
    found: set[str] = set()
    for member in members:
        if member.version.pruned_at:
            known = known_votes(member.version, samples, run.dataset_id)
            found |= {sample.text_hash for sample in samples} - known.keys()
    return found


def _sheet(audit: Reading) -> Sheet:
    kept, indices = audit.kept, {class_id: index for index, class_id in enumerate(audit.class_ids)}
    places = {sample.text_hash: place for place, sample in enumerate(audit.pool.samples)}
    rows = np.array([places[text.text_hash] for text in kept], dtype=np.int64)
    stored = fates_of(audit.run, [text.sample_id for text in kept])
    fresh = [audit.pool.rows[row] for row in rows]
    fates = fates_now(audit.run, audit.generation, [stored.get(text.sample_id) for text in kept], fresh)
    seconds = _seconds(audit)

    def to_indices(class_ids: Sequence[int | None]) -> IntArray:
        known = [ABSTAIN if class_id is None else indices.get(class_id, ABSTAIN) for class_id in class_ids]
        return np.array(known, dtype=np.int64)

    is_sample = not audit.left_out
    return Sheet(
        ballots=align_ballots(audit.pool.ballots).take(rows),
        gold=to_indices([audit.answers[text.text_hash].class_id for text in kept]),
        is_fit=np.array([text.is_fit for text in kept], dtype=np.bool_),
        is_whole=np.array([is_sample and text.text_hash in audit.whole.texts for text in kept], dtype=np.bool_),
        labels=to_indices([fate.class_id if fate and fate.route in MACHINE_ROUTES else None for fate in fates]),
        is_model=np.array([fate is not None and fate.route == Route.VERIFY for fate in fates], dtype=np.bool_),
        is_reviewed=np.array([fate is not None and fate.route == Route.REVIEW for fate in fates], dtype=np.bool_),
        second=to_indices([seconds.get(text.text_hash) for text in kept]),
        copies=np.array([text.copies for text in kept], dtype=np.int64),
        hashes=tuple(text.text_hash for text in kept),
        answers=to_indices([audit.said.get(text.text_hash) for text in kept]),
        unanswered=audit.unanswered,
        reviewed=audit.lesson.reviewed,
    )


def _seconds(audit: Reading) -> dict[str, int]:
    """The class that a second source gives to a text: the verified import, else another person."""
    mine = {text_hash: answer.user_id for text_hash, answer in audit.answers.items()}
    others = {one.text_hash: one.class_id for one in audit.people if mine.get(one.text_hash) != one.user_id}
    imported = imported_answers(audit.run.dataset_id, [text for text, user_id in mine.items() if user_id])
    return others | imported


def _about(audit: Reading) -> About:
    run = audit.run
    told = min(run.accepted, count_accepted_by_people(run))  # the counter was read before
    return About(
        generation=audit.generation.number,
        class_ids=tuple(audit.class_ids),
        members=[(member.version_id, member.version.specialist.name) for member in audit.members],
        in_use=Way(run.min_agree, run.aggregator != Aggregator.MAJORITY, audit.generation.aggregation),
        is_fitted=_is_fitted(run),
        targets=frozenset({*TARGETS, *([run.target_error] if run.target_error else [])}),
        frame_texts=len(frame_texts(run.dataset)),
        drawn=len(audit.texts),
        answered=len(audit.answers),
        read_at=audit.read_at,
        by_pool=run.accepted - told,
        by_model=run.verified,
        by_person=run.decided,
        by_person_accepted=told,
        people=_people(audit),
        usable=audit.lesson.usable,
        seen=looks_at(run.dataset_id),
        look=(run.pk, first_generation(run.pk, audit.generation.number)),
        notices=_notices(audit),
    )


def _is_fitted(run: Run) -> bool:
    """Whether labels of the run may know the fitting third: a race's winner made them, or an answer was fused in."""
    is_fused = run.has_verifier and run.answer_use == AnswerUse.FUSE
    return is_fused or PoolGeneration.objects.filter(run=run, aggregation__isnull=False).exists()


def _people(audit: Reading) -> IntArray:
    """(texts, persons) of class indices."""
    texts = sorted({one.text_hash for one in audit.people})
    persons = sorted({one.user_id for one in audit.people})
    classes = sorted({one.class_id for one in audit.people})
    table = np.full((len(texts), len(persons)), ABSTAIN, dtype=np.int64)
    for one in audit.people:
        table[texts.index(one.text_hash), persons.index(one.user_id)] = classes.index(one.class_id)
    return table


def _notices(audit: Reading) -> list[Notice]:
    """What the manager should know of these figures; none of it stops them."""
    answered = {text.text_hash for text in audit.here} & audit.answers.keys()
    unfinished = len(audit.here) - len(answered)
    counts = {
        "unfinished": unfinished,
        "in_order": unfinished if audit.run.project.review_order == ReviewOrder.OLDEST else 0,
        "appended": audit.whole.gaps,
        "learned_texts": len(answered & set(audit.taught)),
        "copies": sum(text.copies > 1 for text in audit.kept),
    }
    found = [Notice(code, {"count": count}) for code, count in counts.items() if count]
    missing = answered & set(audit.silent)
    names = [member.version.specialist.name for member in audit.members if member.version.pruned_at]
    silent = [Notice("missing_votes", {"names": names, "count": len(missing)})] if missing else []
    seen, together = seen_labels(audit.run)
    values = {"count": seen, "together": together, "of": max(seen, audit.run.decided)}
    return found + silent + ([Notice(SEEN_LABELS, values)] if seen else []) + _class_notices(audit)


def _class_notices(audit: Reading) -> list[Notice]:
    """Answers with classes that the pool does not know or that are retired, and classes without any answer."""
    given = [audit.answers[text.text_hash].class_id for text in audit.kept]
    classes = LabelClass.objects.filter(project=audit.run.project_id).in_bulk()
    unknown = [one for one in given if one not in audit.class_ids]
    retired = [one for one in given if one in audit.class_ids and classes[one].is_retired]
    untold = [one for one in audit.class_ids if one not in given and not classes[one].is_retired]
    found = [("unknown_class", unknown), ("retired_class", retired), ("class_without_rows", untold)]
    return [
        Notice(code, {"names": sorted({classes[one].name for one in ids}), "count": len(ids)})
        for code, ids in found
        if ids
    ]
