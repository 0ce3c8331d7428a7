"""What a run's race may learn from while people review: their answers to the texts that its votes sent them."""

from collections.abc import Collection, Sequence

import numpy as np

from annotator_core.consensus.aggregator import Reviewed
from annotator_core.consensus.milestones import LEARN_AT, milestone
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.reviewed_queries import count_reviewed_texts, reviewed_texts
from labeling.pipeline.ballots import stored_answers
from labeling.runs.models import PoolMember, Run


def count_to_learn(run: Run) -> int:
    """How many texts people have decided from which the run's race may learn, up to the last milestone."""
    return count_reviewed_texts(run, LEARN_AT[-1]) if run.learns_from_reviews else 0


def reviewed_ballots(run: Run, members: Sequence[PoolMember], taught: Collection[str]) -> Reviewed | None:
    """The members' stored votes on the run's first reviewed texts and their classes, up to the last milestone.

    None where the run does not learn from reviews, or before the first milestone. Texts that a member was trained on or
    has not voted on, and those whose class the pool does not know, are no help. Nobody is asked for a vote.
    """
    if not run.learns_from_reviews:
        return None
    indices = {class_id: index for index, class_id in enumerate(members[0].version.class_ids)}
    gold = {
        one.text_hash: indices[one.class_id]
        for one in reviewed_texts(run, LEARN_AT[-1])
        if one.class_id in indices and one.text_hash not in taught
    }
    texts, ballots = stored_answers(run, run.generation, [SampleText(0, "", text_hash) for text_hash in gold])
    count = milestone(len(texts))
    if not count:
        return None
    classes = np.array([gold[one.text_hash] for one in texts[:count]], dtype=np.int64)
    return Reviewed(ballots.take(np.arange(count)), classes)
