"""Table 5 (the number of specialists) and the sweep of epsilon, from kept votes."""

from dataclasses import dataclass

import numpy as np

from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import opinion
from annotator_core.reproduce.equal import count_right
from annotator_core.reproduce.intervals import Mean, average
from annotator_core.reproduce.measure import share_right
from annotator_core.reproduce.rules import count_to_reach, follow_paper
from annotator_core.reproduce.study import Measured, find_reviewers


@dataclass(frozen=True, slots=True)
class Point:
    """The paper's rule at one setting.

    setting: m, or how many must agree. reviewed: share of rows. person: accuracy with gold reviews; llm: with the
    LLM's, over seeds. ordered: reviews that the averaged probability's order needs for the same accuracy, as a share
    of the rule's; NaN where it reviews nothing.
    """

    setting: int
    reviewed: float
    person: float
    llm: Mean
    ordered: float


def sweep_pool(measured: Measured) -> tuple[Point, ...]:
    """Return the rule with the first 2, 3, ... specialists of the set, all agreeing."""
    names = measured.votes.names
    return tuple(_measure(measured, names[:m], None, m) for m in range(2, len(names) + 1))


def sweep_epsilon(measured: Measured) -> tuple[Point, ...]:
    """Return the rule with all specialists for each count that must agree, from 2 to one more than there are."""
    names = measured.votes.names
    return tuple(_measure(measured, names, agree, agree) for agree in range(2, len(names) + 2))


def _measure(measured: Measured, names: tuple[str, ...], min_agree: int | None, setting: int) -> Point:
    ballots, gold = measured.votes.pool(names), measured.votes.gold
    rule = follow_paper(ballots, min_agree)
    with_llm = []
    for seed in range(len(measured.rules)):
        llm = find_reviewers(measured.dataset, measured.votes, ballots, 1.0, seed).llm
        with_llm.append(share_right(np.where(rule.hard, llm, rule.classes), gold))
    nobody = np.zeros(len(gold), dtype=np.bool_)
    needed = count_to_reach(opinion(average_probs(ballots.probs).probs), gold, nobody, count_right(rule, gold))
    reviews = int(rule.hard.sum())
    return Point(
        setting=setting,
        reviewed=float(rule.hard.mean()),
        person=count_right(rule, gold) / len(gold),
        llm=average(with_llm),
        ordered=needed / reviews if reviews else float("nan"),
    )
