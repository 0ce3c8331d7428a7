"""Reviews at equal accuracy: what each of our rules needs to be as accurate as the paper's with the same person."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.milestones import LEARN_AT
from annotator_core.consensus.opinion import opinion
from annotator_core.reproduce.learning import (
    BATCHES,
    count_while_learning,
    learn_as_site,
    learn_from_answers,
    learn_from_texts,
)
from annotator_core.reproduce.rules import (
    Answers,
    Paper,
    count_to_reach,
    draw_audit,
    draw_site_audit,
    follow_paper,
    follow_race,
    hide,
)


@dataclass(frozen=True, slots=True)
class Equal:
    """One set, one seed: rows reviewed, the audit's included, until as many rows are right as under the paper's rule.

    accuracy: of the paper's rule, 0 to 1. paper: its reviews. order: by the averaged probability, without an audit.
    race, answers, texts: with one that is all used to fit; the race's winner, learning on from answers, and from the
    texts too. site: as the site does it, with an audit of which a third fits. least: no rule that trusts the majority's
    classes elsewhere can do with fewer.
    """

    rows: int
    accuracy: float
    paper: int
    order: int
    race: int
    answers: int
    texts: int
    site: int
    least: int
    audit: int
    site_audit: int
    winner: str


def compare_equal(ballots: Ballots, answers: Answers, texts: Sequence[str], *, seed: int) -> Equal:
    """Return the comparison for one draw of the audit.

    answers: to the n rows; texts: n. Raises BadInput for a pool of none or impossible gold.

    Source: docs/decisions/0024; of the paper's rule AutoAnnotator (arXiv 2506.16393), eq. 3 to 5.
    """
    rule, person, n = follow_paper(ballots), answers.person, len(texts)
    right = count_right(rule, answers)
    is_audited = draw_audit(n, seed)
    raced = follow_race(ballots, hide(person, is_audited), seed=seed)
    paper = int(rule.hard.sum())
    batch = max(1, paper // BATCHES)
    stops = range(batch, n, batch)
    is_whole, is_fitting = draw_site_audit(n, seed)
    nobody = np.zeros(n, dtype=np.bool_)
    by_answers = learn_from_answers(ballots, person, raced.race.winner, seed)
    by_texts = learn_from_texts(by_answers, person, texts, ballots.n_classes)
    return Equal(
        rows=n,
        accuracy=right / n,
        paper=paper,
        order=count_to_reach(opinion(average_probs(ballots.probs).probs), answers, nobody, right),
        race=count_to_reach(raced.opinion, answers, is_audited, right),
        answers=count_while_learning(by_answers, answers, is_audited, right, stops),
        texts=count_while_learning(by_texts, answers, is_audited, right, stops),
        site=count_while_learning(
            learn_as_site(ballots, person, is_whole, is_fitting, seed), answers, is_whole, right, LEARN_AT
        ),
        least=max(0, right - int((rule.classes == answers.gold).sum())),
        audit=int(is_audited.sum()),
        site_audit=int(is_whole.sum()),
        winner=raced.race.winner,
    )


def count_right(rule: Paper, answers: Answers) -> int:
    """Return how many of the n rows are right under the paper's rule when a hard row gets the person's answer."""
    return int(np.where(rule.hard, answers.is_right, rule.classes == answers.gold).sum())
