"""What a run's race may learn from while people review: their answers to the texts that its votes sent them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from annotator_core.consensus.aggregator import Reviewed
from annotator_core.consensus.milestones import LEARN_AT, milestone
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.reviewed_queries import reviewed_texts
from labeling.pipeline.ballots import stored_answers
from labeling.quality.figures import Figures
from labeling.runs.models import PoolMember, Run


@dataclass(frozen=True, slots=True)
class Lesson:
    """`usable`: reviewed texts that the race could learn from; `reviewed`: those up to the last milestone, if any."""

    usable: int
    reviewed: Reviewed | None


NOTHING = Lesson(0, None)


def read_lesson(run: Run, members: Sequence[PoolMember], taught: Collection[str]) -> Lesson:
    """The members' stored votes on texts that people reviewed for the run, and the classes that they gave.

    Nothing where the run does not learn from reviews. Texts that a member was trained on or has not voted on, and those
    whose class the pool does not know, are of no use. Nobody is asked for a vote.
    """
    if not run.learns_from_reviews:
        return NOTHING
    indices = {class_id: index for index, class_id in enumerate(members[0].version.class_ids)}
    gold = {
        one.text_hash: indices[one.class_id]
        for one in reviewed_texts(run, LEARN_AT[-1])
        if one.class_id in indices and one.text_hash not in taught
    }
    texts, ballots = stored_answers(run, run.generation, [SampleText(0, "", text_hash) for text_hash in gold])
    count = milestone(len(texts))
    if not count:
        return Lesson(len(texts), None)
    classes = np.array([gold[one.text_hash] for one in texts[:count]], dtype=np.int64)
    return Lesson(len(texts), Reviewed(ballots.take(np.arange(count)), classes))


def has_more_to_learn(run: Run, figures: Figures) -> bool:
    """Whether texts that people decided since these figures may bring the run's race to its next milestone.

    As if each were of use: where some were not, the next measurement says so and fewer are missing.
    """
    if not run.learns_from_reviews:
        return False
    return milestone(figures.usable + max(0, run.decided - figures.decided)) > milestone(figures.usable)
