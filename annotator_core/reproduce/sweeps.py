"""Table 5 (the number of specialists) and the sweep of epsilon, from kept votes.

Source: AutoAnnotator (arXiv 2506.16393), Table 5, and epsilon of eq. 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.opinion import Opinion, opinion
from annotator_core.reproduce.equal import count_right
from annotator_core.reproduce.intervals import Mean, average, share_of_rows
from annotator_core.reproduce.measure import share_right
from annotator_core.reproduce.rules import Answers, Paper, count_to_reach, follow_paper
from annotator_core.reproduce.study import Measured, find_reviewers


@dataclass(frozen=True, slots=True)
class Point:
    """The paper's rule at one setting.

    setting: m, or how many must agree. reviewed: share of rows, with Wilson's interval. person: accuracy with the
    person's reviews; llm: with the LLM's, on the rows that a real endpoint was asked about where one was. ordered:
    reviews that the averaged probability's order needs for the same accuracy with the same person, as a share of the
    rule's; NaN where it reviews nothing. Means over seeds, of a person who is gold over none.
    """

    setting: int
    reviewed: Mean
    person: Mean
    llm: Mean
    ordered: Mean


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
    drawn = [
        find_reviewers(measured.dataset, measured.votes, ballots, measured.person_accuracy, seed)
        for seed in range(len(measured.rules))
    ]
    people = [Answers(gold, each.person) for each in (drawn[:1] if measured.is_person_gold else drawn)]
    formed = opinion(average_probs(ballots.probs).probs)
    return Point(
        setting=setting,
        reviewed=share_of_rows(float(rule.hard.mean()), len(gold)),
        person=average([count_right(rule, answers) / len(gold) for answers in people]),
        llm=_score_llm(measured, rule, [each.llm for each in drawn]),
        ordered=average([_share_ordered(formed, rule, answers) for answers in people]),
    )


def _score_llm(measured: Measured, rule: Paper, simulated: Sequence[IntArray]) -> Mean:
    """Return the rule's accuracy with the real endpoint on the rows it was asked about, else with the LLM of a seed."""
    gold, consulted = measured.votes.gold, measured.consulted
    if consulted is None:
        return average([share_right(np.where(rule.hard, each, rule.classes), gold) for each in simulated])
    rows = consulted.rows
    labels = np.where(rule.hard[rows], consulted.verifier.classes, rule.classes[rows])
    return share_of_rows(share_right(labels, gold[rows]), len(rows))


def _share_ordered(formed: Opinion, rule: Paper, answers: Answers) -> float:
    reviews, nobody = int(rule.hard.sum()), np.zeros(len(answers.gold), dtype=np.bool_)
    needed = count_to_reach(formed, answers, nobody, count_right(rule, answers))
    return needed / reviews if reviews else float("nan")
