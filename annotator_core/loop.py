"""The paper without a database: the pool votes, disagreements go to a verifier, the rest is accepted.

Source: AutoAnnotator (arXiv 2506.16393), section 3: majority vote (eq. 3), uncertainty (eq. 4), routing (eq. 5).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from annotator_core.annotation import Annotation, Ballot, Block
from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.aggregator import Ballots, Fitted
from annotator_core.consensus.average import average_probs
from annotator_core.consensus.majority import Majority, vote_majority
from annotator_core.consensus.opinion import Opinion, opinion, pick_classes
from annotator_core.errors import BadInput
from annotator_core.routing import hard_by_agreement, hard_by_budget
from annotator_core.specialists.contract import Prediction, Specialist
from annotator_core.specialists.windows import split_windows
from annotator_core.spool import Spool, find_groups
from annotator_core.types import ABSTAIN


@dataclass(frozen=True, slots=True)
class Policy:
    """How samples are labeled and routed.

    min_agree: how many specialists must agree, None for all of them. Instead of that, budget: the share of rows (0 to
    1) to send to review, least certain first; or threshold: the least score of a row that is accepted, as a
    certificate gives it. aggregation: who makes a label of the votes, None for the majority. take_majority: a row that
    nobody verified gets the label anyway.
    """

    min_agree: int | None = None
    budget: float | None = None
    take_majority: bool = False
    aggregation: Fitted | None = None
    threshold: float | None = None


PAPER: Final = Policy()
"""The paper's default: any disagreement is hard, and a hard row waits for its verdict."""


class Verifier(Protocol):
    """A second review: anything that gives a class index, or ABSTAIN, for each text in order."""

    def __call__(self, texts: Sequence[str], /) -> Sequence[int]:
        """Return one answer for each text."""
        ...


@dataclass(frozen=True, slots=True)
class Observer:
    """Who hears about a run: on_votes gets the number of new votes, on_prediction each specialist's name and answer."""

    on_votes: Callable[[int], None] = lambda _: None
    on_prediction: Callable[[str, Prediction], None] = lambda _name, _prediction: None


def annotate(
    texts: Iterable[str],
    pool: Sequence[Specialist],
    verifier: Verifier | None = None,
    policy: Policy = PAPER,
    observer: Observer | None = None,
) -> Iterator[Annotation]:
    """Yield one annotation for each text, in order, window by window: memory does not grow with the texts.

    What is no string (None, NaN) gets no vote and waits for a person, as an empty text does, and stands as "" in its
    annotation. Under a budget all votes are spooled to a temporary file first.
    Raises BadInput for an empty pool or an impossible policy, SpecialistCrashed when a specialist fails as a whole,
    StorageError when the spool has no room.
    """
    for block in annotate_windows(split_windows(texts), pool, verifier, policy, observer):
        yield from block.iterate()


def annotate_windows(
    windows: Iterable[list[str]],
    pool: Sequence[Specialist],
    verifier: Verifier | None = None,
    policy: Policy = PAPER,
    observer: Observer | None = None,
) -> Iterator[Block]:
    """Yield what became of each window, as columns. All else, and what it raises, as of `annotate`."""
    check_policy(policy, len(pool))
    ballots = (cast_votes(window, pool, observer) for window in windows)
    if policy.budget is None:
        for ballot in ballots:
            yield decide(ballot, policy, verifier)
    else:
        with Spool() as spool:
            for ballot in ballots:
                spool.write(ballot)
            yield from decide_all(spool.read, policy, verifier)


def check_policy(policy: Policy, n_specialists: int) -> None:
    """Raise BadInput for an empty pool or a policy that cannot be."""
    if not n_specialists:
        raise BadInput("The pool has no specialist: name at least one.")
    # One more than the pool has means that every row is hard, as epsilon 0 does.
    if policy.min_agree is not None and not 1 <= policy.min_agree <= n_specialists + 1:
        raise BadInput(f"{policy.min_agree} specialists cannot agree in a pool of {n_specialists}.")
    if policy.budget is not None and not 0 <= policy.budget <= 1:
        raise BadInput(f"The review budget must be a share between 0 and 1, not {policy.budget}.")
    if policy.budget is not None and policy.threshold is not None:
        raise BadInput("A review budget and a threshold contradict each other: choose one.")


def cast_votes(texts: list[str], pool: Sequence[Specialist], observer: Observer | None = None) -> Ballot:
    """Return every specialist's vote on the texts of a window; raises SpecialistCrashed.

    What is no string abstains with a reason, and is "" on the ballot, so that whoever reads that has strings.
    """
    predictions = [_predict(texts, specialist, observer or Observer()) for specialist in pool]
    probs = np.stack([prediction.probs for prediction in predictions], axis=1)
    reasons = [prediction.reasons for prediction in predictions]
    written = [_read_text(text) for text in texts]
    return Ballot(written, probs, reasons, [specialist.identity.name for specialist in pool])


def _read_text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _predict(texts: list[str], specialist: Specialist, observer: Observer) -> Prediction:
    told = 0

    def tell(done: int, _total: int) -> None:
        nonlocal told
        observer.on_votes(done - told)
        told = done

    prediction = specialist.predict(texts, on_progress=tell)
    observer.on_votes(len(texts) - told)
    observer.on_prediction(specialist.identity.name, prediction)
    return prediction


def decide_all(
    read: Callable[[], Iterable[Ballot]], policy: Policy, verifier: Verifier | None = None
) -> Iterator[Block]:
    """Yield what becomes of all ballots; under a budget they are read twice, and 13 bytes a row kept in between.

    Raises BadInput as `form_opinion` does.
    """
    is_hard = None if policy.budget is None else _spend_budget(read(), policy, policy.budget)
    low = 0
    for ballot in read():
        high = low + len(ballot.texts)
        yield decide(ballot, policy, verifier, None if is_hard is None else is_hard[low:high])
        low = high


def _spend_budget(ballots: Iterable[Ballot], policy: Policy, budget: float) -> BoolArray:
    scores, groups, unvoted = _score_all(ballots, policy)
    return hard_by_budget(scores, groups, budget, unvoted=unvoted)


def _score_all(ballots: Iterable[Ballot], policy: Policy) -> tuple[FloatArray, IntArray, BoolArray]:
    """Return the score and the group of each row (n,), and whether nobody voted on it."""
    scores: list[FloatArray] = [np.empty(0, dtype=np.float32)]
    groups: list[IntArray] = [np.empty(0, dtype=np.int64)]
    unvoted: list[BoolArray] = [np.empty(0, dtype=np.bool_)]
    for ballot in ballots:
        formed, _majority = form_opinion(ballot.probs, policy.aggregation)
        scores.append(formed.score)
        groups.append(find_groups(ballot.texts))
        unvoted.append(formed.classes == ABSTAIN)
    return np.concatenate(scores), np.concatenate(groups), np.concatenate(unvoted)


def form_opinion(probs: FloatArray, aggregation: Fitted | None = None) -> tuple[Opinion, Majority]:
    """Return what the pool thinks of n rows, and its majority, from probs (n, m, k).

    Without an aggregation class and probability are the majority's, and the score is the averaged probability's margin.
    Raises BadInput for a pool that the aggregation was not fitted on.
    """
    votes = pick_classes(probs)
    majority = vote_majority(votes, probs.shape[2], probs)
    if aggregation is not None:
        return opinion(aggregation.predict(Ballots(votes, probs))), majority
    average = average_probs(probs)
    top = np.nan_to_num(average.probs[np.arange(len(votes)), majority.classes])
    return Opinion(majority.classes, top, average.score), majority


def decide(
    ballot: Ballot, policy: Policy = PAPER, verifier: Verifier | None = None, is_hard: BoolArray | None = None
) -> Block:
    """Return what becomes of a window's texts. is_hard (n,): which rows are, where the policy cannot say by itself."""
    formed, majority = form_opinion(ballot.probs, policy.aggregation)
    hard = _find_hard(formed, majority, policy, len(ballot.names)) if is_hard is None else is_hard
    verdicts = _verify(ballot, hard, verifier)
    is_verified = verdicts != ABSTAIN
    keeps = ~is_verified & (formed.classes != ABSTAIN) & (True if policy.take_majority else ~hard)
    votes = pick_classes(ballot.probs)
    return Block(
        ballot=ballot,
        labels=np.where(keeps, formed.classes, verdicts),
        is_hard=hard,
        is_verified=is_verified,
        confidence=np.where(keeps, formed.top, np.float32(np.nan)),
        uncertainty=majority.uncertainty,
        votes=votes,
        vote_probs=np.where(votes == ABSTAIN, np.float32(0.0), np.nan_to_num(ballot.probs).max(axis=2)),
    )


def _find_hard(formed: Opinion, majority: Majority, policy: Policy, n_specialists: int) -> BoolArray:
    if policy.threshold is not None:
        return np.asarray((formed.score < policy.threshold) | (formed.classes == ABSTAIN))
    min_agree = n_specialists if policy.min_agree is None else policy.min_agree
    return hard_by_agreement(majority.counts, majority.is_tie, min_agree)


def _verify(ballot: Ballot, hard: BoolArray, verifier: Verifier | None) -> IntArray:
    """Return the verifier's class for each row (n,), ABSTAIN where it gave none or was not asked."""
    verdicts = np.full(len(hard), ABSTAIN, dtype=np.int64)
    rows = np.flatnonzero(hard)
    if verifier is None or not len(rows):
        return verdicts
    n_classes = ballot.probs.shape[2]
    answers = verifier([ballot.texts[row] for row in rows])
    for row, answer in zip(rows, answers, strict=True):
        # An answer outside the classes is no verdict: the row goes to a person.
        verdicts[row] = answer if 0 <= answer < n_classes else ABSTAIN
    return verdicts
