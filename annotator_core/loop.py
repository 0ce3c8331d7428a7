"""The paper without a database: the pool votes, disagreements go to a verifier, the rest is accepted.

Source: AutoAnnotator (arXiv 2506.16393), section 3: majority vote (eq. 3), uncertainty (eq. 4), routing (eq. 5).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from annotator_core.arrays import BoolArray, FloatArray, IntArray
from annotator_core.consensus.average import average_probs, pick_classes
from annotator_core.consensus.majority import Majority, vote_majority
from annotator_core.errors import BadInput
from annotator_core.routing import hard_by_agreement, hard_by_budget
from annotator_core.specialists.contract import Prediction, Specialist
from annotator_core.specialists.windows import split_windows
from annotator_core.spool import Spool, find_group
from annotator_core.types import ABSTAIN, LabelSource, Route

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Policy:
    """How samples are routed.

    min_agree: how many specialists must agree, None for all of them. budget: instead of that, the share of rows (0 to
    1) to send to review, least certain first. take_majority: a row that nobody verified gets the majority's class.
    """

    min_agree: int | None = None
    budget: float | None = None
    take_majority: bool = False


PAPER: Final = Policy()
"""The paper's default: any disagreement is hard, and a hard row waits for its verdict."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One specialist's vote: class index or ABSTAIN with a reason, and the probability of the class (0 for none)."""

    specialist: str
    class_index: int
    prob: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """What became of one text.

    label: class index, ABSTAIN while a person must decide; source: who decided, None then. confidence: the pool's
    averaged probability of the label, None for a verifier's. uncertainty: U of eq. 4, 0 to 1.
    """

    text: str
    label: int
    source: LabelSource | None
    confidence: float | None
    uncertainty: float
    route: Route
    votes: tuple[Vote, ...]


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


@dataclass(frozen=True, slots=True)
class _Ballot:
    """The votes on the n texts of a window: probs (n, m, k), reasons m lists of n, names m, and the majority."""

    texts: list[str]
    probs: FloatArray
    reasons: list[list[str | None]]
    names: list[str]
    majority: Majority


def annotate(
    texts: Iterable[str],
    pool: Sequence[Specialist],
    verifier: Verifier | None = None,
    policy: Policy = PAPER,
    observer: Observer | None = None,
) -> Iterator[Annotation]:
    """Yield one annotation for each text, in order, window by window: memory does not grow with the texts.

    Under a budget all votes are spooled to a temporary file first. Raises BadInput for an empty pool or an impossible
    policy, SpecialistCrashed when a specialist fails as a whole, StorageError when the spool has no room.
    """
    min_agree = _check(pool, policy)
    ballots = (_vote(window, pool, observer or Observer()) for window in split_windows(texts))
    if policy.budget is not None:
        yield from _annotate_within_budget(ballots, policy.budget, verifier, policy)
        return
    for ballot in ballots:
        hard = hard_by_agreement(ballot.majority.counts, ballot.majority.is_tie, min_agree)
        yield from _decide(ballot, hard, verifier, policy)


def _check(pool: Sequence[Specialist], policy: Policy) -> int:
    min_agree = len(pool) if policy.min_agree is None else policy.min_agree
    if not pool:
        raise BadInput("The pool has no specialist: name at least one.")
    # One more than the pool has means that every row is hard, as epsilon 0 does.
    if not 1 <= min_agree <= len(pool) + 1:
        raise BadInput(f"{min_agree} specialists cannot agree in a pool of {len(pool)}.")
    if policy.budget is not None and not 0 <= policy.budget <= 1:
        raise BadInput(f"The review budget must be a share between 0 and 1, not {policy.budget}.")
    return min_agree


def _vote(texts: list[str], pool: Sequence[Specialist], observer: Observer) -> _Ballot:
    predictions = [_predict(texts, specialist, observer) for specialist in pool]
    probs = np.stack([prediction.probs for prediction in predictions], axis=1)
    reasons = [list(prediction.reasons) for prediction in predictions]
    return _count(texts, probs, reasons, [specialist.identity.name for specialist in pool])


def _count(texts: list[str], probs: FloatArray, reasons: list[list[str | None]], names: list[str]) -> _Ballot:
    return _Ballot(texts, probs, reasons, names, vote_majority(pick_classes(probs), probs.shape[2], probs))


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


def _annotate_within_budget(
    ballots: Iterable[_Ballot], budget: float, verifier: Verifier | None, policy: Policy
) -> Iterator[Annotation]:
    with Spool() as spool:
        hard = _find_hard(ballots, budget, spool)
        low = 0
        for probs, (texts, reasons, names) in spool.read():
            high = low + len(texts)
            yield from _decide(_count(texts, probs, reasons, names), hard[low:high], verifier, policy)
            low = high


def _find_hard(ballots: Iterable[_Ballot], budget: float, spool: Spool) -> BoolArray:
    """Return which rows are hard, with all votes written to the spool; 13 bytes a row are kept meanwhile."""
    scores: list[FloatArray] = []
    groups: list[IntArray] = []
    unvoted: list[BoolArray] = []
    for ballot in ballots:
        scores.append(average_probs(ballot.probs).score)
        groups.append(np.array([find_group(text) for text in ballot.texts], dtype=np.int64))
        unvoted.append(ballot.majority.classes == ABSTAIN)
        spool.write(ballot.probs, (ballot.texts, ballot.reasons, ballot.names))
    return hard_by_budget(_join(scores, np.float32), _join(groups, np.int64), budget, unvoted=_join(unvoted, np.bool_))


def _join(parts: list[npt.NDArray[Number]], dtype: type[Number]) -> npt.NDArray[Number]:
    """Return the parts as one array and forget them."""
    joined = np.concatenate([np.empty(0, dtype), *parts])
    parts.clear()
    return joined


@dataclass(frozen=True, slots=True)
class _Answer:
    label: int
    source: LabelSource | None
    confidence: float | None


_NOBODY: Final = _Answer(ABSTAIN, None, None)


def _decide(ballot: _Ballot, hard: BoolArray, verifier: Verifier | None, policy: Policy) -> Iterator[Annotation]:
    verdicts = _verify(ballot, hard, verifier)
    consensus = _read_consensus(ballot)
    for row, votes in enumerate(_read_votes(ballot)):
        if row in verdicts:
            route, answer = Route.VERIFY, _Answer(verdicts[row], LabelSource.VERIFIER, None)
        else:
            route = Route.REVIEW if hard[row] else Route.ACCEPT
            answer = consensus[row] if policy.take_majority or not hard[row] else _NOBODY
        uncertainty = float(ballot.majority.uncertainty[row])
        yield Annotation(ballot.texts[row], answer.label, answer.source, answer.confidence, uncertainty, route, votes)


def _verify(ballot: _Ballot, hard: BoolArray, verifier: Verifier | None) -> dict[int, int]:
    rows = np.flatnonzero(hard).tolist()
    if verifier is None or not rows:
        return {}
    n_classes = ballot.probs.shape[2]
    answers = verifier([ballot.texts[row] for row in rows])
    # An answer outside the classes is no verdict: the row goes to a person.
    return {row: answer for row, answer in zip(rows, answers, strict=True) if 0 <= answer < n_classes}


def _read_consensus(ballot: _Ballot) -> list[_Answer]:
    labels = ballot.majority.classes
    probs = average_probs(ballot.probs).probs[np.arange(len(labels)), labels]
    return [
        _NOBODY if label == ABSTAIN else _Answer(label, LabelSource.CONSENSUS, prob)
        for label, prob in zip(labels.tolist(), probs.tolist(), strict=True)
    ]


def _read_votes(ballot: _Ballot) -> Iterator[tuple[Vote, ...]]:
    classes = pick_classes(ballot.probs)
    tops = np.where(classes == ABSTAIN, 0.0, np.nan_to_num(ballot.probs).max(axis=2))
    columns = [
        map(Vote, [name] * len(ballot.texts), classes[:, column].tolist(), tops[:, column].tolist(), reasons)
        for column, (name, reasons) in enumerate(zip(ballot.names, ballot.reasons, strict=True))
    ]
    return zip(*columns, strict=True)
