"""Writes about refinement rounds: start and stop, decide about challengers, free the disk."""

from labeling.refinement.actions.decisions import decide_round, keep, promote, roll_back, set_source_test
from labeling.refinement.actions.prune import Pruned, prune_versions
from labeling.refinement.actions.rounds import give_up_round, retry_round, start_round

__all__ = [
    "Pruned",
    "decide_round",
    "give_up_round",
    "keep",
    "promote",
    "prune_versions",
    "retry_round",
    "roll_back",
    "set_source_test",
    "start_round",
]
