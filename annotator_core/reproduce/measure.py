"""What each rule gives on one set for one seed: reviews and accuracy, as numbers that JSON can hold."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.consensus.aggregator import Ballots
from annotator_core.consensus.fusion import fit_fusion
from annotator_core.consensus.opinion import opinion
from annotator_core.contract.certify import certify
from annotator_core.reproduce.rules import (
    Paper,
    Raced,
    draw_audit,
    follow_paper,
    follow_race,
    hide,
    review_first,
)
from annotator_core.types import ABSTAIN

CONTRACT_LEAST: Final = 300
TARGETS: Final = (0.02, 0.05, 0.1)
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Reviewers:
    """Answers (n,) that a reviewer would give on each row, asked or not: a person, and an LLM."""

    person: IntArray
    llm: IntArray


def measure_rules(ballots: Ballots, gold: IntArray, reviewers: Reviewers, *, seed: int) -> Figures:
    """Return by name: accuracies over all rows and shares of rows reviewed, 0 to 1.

    gold (n,): class indices. Raises BadInput as `label_rows` does.

    Source: docs/decisions/0024; of the paper's rule AutoAnnotator (arXiv 2506.16393), eq. 3 to 5.
    """
    rule = follow_paper(ballots)
    labels = label_rows(ballots, reviewers, seed=seed)
    return {
        "hard": float(rule.hard.mean()),
        "agreed_right": share_right(rule.classes[~rule.hard], gold[~rule.hard]),
        "audit": float(draw_audit(len(gold), seed).mean()),
        **{name: share_right(given, gold) for name, given in labels.items()},
        "llm_all": share_right(reviewers.llm, gold),
        "llm_hard": share_right(reviewers.llm[rule.hard], gold[rule.hard]),
        **_measure_contract(ballots, gold, reviewers, rule, seed=seed),
    }


def label_rows(ballots: Ballots, reviewers: Reviewers, *, seed: int) -> dict[str, IntArray]:
    """Return by policy the labels (n,), class indices or ABSTAIN, with the reviewers' answers where they are asked.

    The race has `audit_size` audited rows, which count as reviews and are answered by the person; it reviews as many
    rows in all as the paper's rule, the least certain first. ``race_fusion``: the LLM's answer is one more voter.
    Raises BadInput for a pool of none or impossible answers.

    Source: docs/decisions/0024; of the paper's rule AutoAnnotator (arXiv 2506.16393), eq. 3 to 5.
    """
    rule = follow_paper(ballots)
    is_audited = draw_audit(len(ballots), seed)
    seen = hide(reviewers.person, is_audited)
    raced = follow_race(ballots, seen, seed=seed)
    known = raced.opinion.classes
    chosen = review_first(raced.opinion, is_audited, max(int(rule.hard.sum()), int(is_audited.sum())))
    return {
        "majority": rule.classes,
        "single": _pick_single(raced, ballots),
        "paper_person": np.where(rule.hard, reviewers.person, rule.classes),
        "paper_llm": np.where(rule.hard, reviewers.llm, rule.classes),
        "race_alone": np.where(is_audited, reviewers.person, known),
        "race_person": np.where(chosen, reviewers.person, known),
        "race_llm": _answer(chosen, is_audited, reviewers, known),
        "race_fusion": _fuse(ballots, seen, chosen, reviewers, raced, seed),
    }


def share_right(answers: IntArray, gold: IntArray) -> float:
    """Return the share of answers (n,) that are gold (n,), 0 to 1; an abstention is wrong, no rows give NaN."""
    return float((answers == gold).mean()) if len(gold) else float("nan")


def _pick_single(raced: Raced, ballots: Ballots) -> IntArray:
    """Return the votes (n,) of the specialist that the audit finds best."""
    best = next((entry.title_index for entry in raced.race.entries if entry.title_index is not None), 0)
    return ballots.votes[:, best]


def _answer(chosen: BoolArray, is_audited: BoolArray, reviewers: Reviewers, classes: IntArray) -> IntArray:
    return np.where(is_audited, reviewers.person, np.where(chosen, reviewers.llm, classes))


def _fuse(
    ballots: Ballots, seen: IntArray, chosen: BoolArray, reviewers: Reviewers, raced: Raced, seed: int
) -> IntArray:
    """Return the labels when the LLM is asked about the chosen rows and joins the vote there."""
    answers = np.where(chosen, reviewers.llm, ABSTAIN)
    fused = opinion(fit_fusion(ballots, answers, seen, seed=seed).predict(ballots, answers)).classes
    labels = np.where(chosen, fused, raced.opinion.classes)
    return np.where(seen != ABSTAIN, seen, labels)


def _measure_contract(ballots: Ballots, gold: IntArray, reviewers: Reviewers, rule: Paper, *, seed: int) -> Figures:
    """Return for each target the share of rows that people review and the share of accepted rows that is wrong.

    An audit of 300 rows, at most a fifth; a third of it fits the race, the rest certifies. A target that is not reached
    accepts nothing: then people review all rows.
    """
    size = min(CONTRACT_LEAST, len(gold) // 5)
    is_audited = draw_audit(len(gold), seed + 100, size)
    rows = np.random.default_rng([seed, 3]).permutation(np.flatnonzero(is_audited))
    fitting, certifying = rows[: size // 3], rows[size // 3 :]
    seen = np.full(len(gold), ABSTAIN)
    seen[fitting] = reviewers.person[fitting]
    formed = follow_race(ballots, seen, seed=seed).opinion
    found = {"contract_audit": size / len(gold)}
    for target in TARGETS:
        is_right = formed.classes[certifying] == reviewers.person[certifying]
        certificate = certify(formed.score[certifying], is_right, target_error=target)
        threshold = certificate.threshold
        accepted = np.zeros(len(gold), np.bool_) if threshold is None else (formed.score >= threshold) & ~is_audited
        name = f"contract_{target:.0%}"
        found[f"{name}_reviewed"] = float(1 - accepted.mean())
        found[f"{name}_wrong"] = 1 - share_right(formed.classes[accepted], gold[accepted])
    found["agreed_wrong"] = 1 - share_right(rule.classes[~rule.hard], gold[~rule.hard])
    return found
