"""What the models of a real endpoint answered on some rows of a set, and what each policy gives on these rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, sqrt
from typing import Final

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.majority import vote_majority
from annotator_core.reproduce.intervals import Mean, average, share_of_rows
from annotator_core.reproduce.measure import Figures, Reviewers, label_rows, share_right
from annotator_core.types import ABSTAIN

BY_LLM: Final = ("paper_llm", "race_llm", "race_fusion")
"""Policies that ask an LLM."""
_Z: Final = 1.96
"""Of a 95% interval under the normal distribution."""


@dataclass(frozen=True, slots=True)
class Replies:
    """What one model answered, put in one way: a value a row, each (r,).

    classes: class indices or ABSTAIN. tokens_in, tokens_out: as the server counted them, NaN where it counted none.
    seconds: wall time, above 0; NaN where no answer came.
    """

    classes: IntArray
    tokens_in: FloatArray
    tokens_out: FloatArray
    seconds: FloatArray


@dataclass(frozen=True, slots=True)
class Consulted:
    """The zero-shot answers of one or more models on r rows of a set.

    rows (r,): which of the set's rows, ascending. models: their names, the verifier first; replies: one for each.
    figures: by seed, what each policy gives on these rows with the verifier (`measure_policies`).
    """

    rows: IntArray
    models: tuple[str, ...]
    replies: tuple[Replies, ...]
    figures: tuple[Figures, ...]

    @property
    def verifier(self) -> Replies:
        """Return what the first model answered."""
        return self.replies[0]

    def tell_policy(self, name: str) -> Mean:
        """Return a policy's accuracy, the mean over seeds, with Wilson's interval over the r rows."""
        return share_of_rows(average([each[name] for each in self.figures]).value, len(self.rows))

    def tell_gain(self) -> Mean:
        """Return the accuracy of race and fusion less that of the paper's rule, both with the verifier.

        The interval is that of pairs of answers over the r rows, or Student's over seeds where that is wider. Source:
        Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, section 13.1.
        """
        gain = average([each["won"] - each["lost"] for each in self.figures])
        spread = [each["won"] + each["lost"] - (each["won"] - each["lost"]) ** 2 for each in self.figures]
        width = _Z * sqrt(max(0.0, float(np.mean(spread))) / len(self.rows))
        if not isnan(gain.high):
            width = max(width, gain.high - gain.value)
        return Mean(gain.value, gain.value - width, gain.value + width)


def measure_policies(ballots: Ballots, gold: IntArray, reviewers: Reviewers, *, seed: int) -> Figures:
    """Return the accuracy of each policy on r rows by name, the share of hard ones, and ``won`` and ``lost``.

    gold (r,): class indices. won: share of rows where race and fusion are right and the paper's rule is not, both with
    the LLM; lost: the other way round. All are 0 to 1. Raises BadInput as `measure.label_rows` does.
    """
    labels = label_rows(ballots, reviewers, seed=seed)
    ours, paper = labels["race_fusion"] == gold, labels["paper_llm"] == gold
    return {
        **{name: share_right(given, gold) for name, given in labels.items()},
        "won": float((ours & ~paper).mean()),
        "lost": float((paper & ~ours).mean()),
    }


def vote_models(answers: IntArray, n_classes: int) -> IntArray:
    """Return the majority (r,) of the answers of l models (r, l), class indices or ABSTAIN; a tie is none, ABSTAIN.

    Source: AutoAnnotator (arXiv 2506.16393), Table 3, majority vote over LLMs; ties as in the verifiers of the engine.
    """
    vote = vote_majority(answers, n_classes)
    return np.where(vote.is_tie, ABSTAIN, vote.classes)


def stack_classes(replies: Sequence[Replies]) -> IntArray:
    """Return the answers of l models as one array (r, l)."""
    return np.stack([each.classes for each in replies], axis=1)
