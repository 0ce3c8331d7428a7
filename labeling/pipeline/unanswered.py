"""Votes on texts that no audit has drawn: Dawid-Skene learns each specialist's errors from them, too."""

from collections.abc import Collection, Sequence
from typing import Final

from annotator_core.consensus.aggregator import Ballots
from labeling.datasets.chunk_queries import SampleText
from labeling.pipeline.ballots import stored_ballots
from labeling.quality.row_queries import texts_beside_frame
from labeling.runs.models import PoolMember, Run
from labeling.runs.queries import members_of

TEXTS_MOST: Final = 5_000
"""Texts that it learns from: confusion matrices stand long before; chosen, as in the shell."""
CELLS_MOST: Final = 2_000_000
"""Texts x specialists x classes that are read for it: 8 MB of probabilities; chosen."""


def unanswered_ballots(run: Run, members: Sequence[PoolMember], taught: Collection[str]) -> Ballots | None:
    """The members' stored votes on random texts of the run outside the audit frame, the same at each time.

    None before every row has them: those that are voted on first are no random ones. Texts in `taught` are left out,
    for on those a specialist is right more often. Nobody is asked for a vote.
    """
    has_votes = {member.version_id for member in members_of(run, run.renewed)}
    if run.voted < run.row_count or not has_votes >= {member.version_id for member in members}:
        return None
    most = min(TEXTS_MOST, CELLS_MOST // (len(members) * len(members[0].version.class_ids)))
    texts = [one for one in texts_beside_frame(run, most) if one not in taught]
    ballots = stored_ballots(run, run.generation, [SampleText(0, "", one) for one in texts])
    return ballots if len(ballots) else None
