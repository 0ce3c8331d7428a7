"""The rows that only a real endpoint can give: LLMs alone in three ways, and the policies that ask an LLM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.reproduce.consulted import Consulted, Replies, measure_policies
from annotator_core.reproduce.intervals import average
from annotator_core.reproduce.kept import digest_settings, hash_votes
from annotator_core.reproduce.measure import Figures, Reviewers, share_right
from annotator_core.reproduce.people import simulate_person
from annotator_core.reproduce.rows import GoldRows
from annotator_core.reproduce.rules import follow_paper
from annotator_core.reproduce.study import Measured, Say, Settings, keep
from annotator_core.reproduce.targets import draw_rows
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Asker, Example, Ledger, Plan, Price, Question, Strategy, Verdict
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.pace import Pace

ASKED: Final = 250
"""Rows of a set that are asked about; chosen: a fifth of them are the 50 that a race needs, and an accuracy is known
to 6 points."""
STRATEGIES: Final = (Strategy.ZERO_SHOT, Strategy.ONE_SHOT, Strategy.CHAIN_OF_THOUGHT)
"""Those of the paper's Table 3. Its one-shot form is unpublished: an example with its label before the text is ours."""
_AT_ONCE: Final = 4
"""Requests; chosen: seconds a row stay near those of one at a time."""
_DRAW_SEED: Final = 11
_FREE: Final = Price(0.0, 0.0, 0.0)
_FORMAT: Final = 1
"""Raised when a policy changes, so that figures of an older one are not taken for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One model and strategy on one set: accuracies 0 to 1 on all asked rows and on hard ones, tokens, seconds a row.

    abstained: rows without a usable answer. tokens: in and out, NaN where the server counts none; seconds: wall time.
    """

    title: str
    model: str
    strategy: Strategy
    rows: int
    hard_rows: int
    accuracy: float
    hard_accuracy: float
    abstained: int
    tokens: float
    seconds: float


def ask_models(
    found: Sequence[Measured],
    askers: Mapping[str, Asker],
    ledger: Ledger,
    settings: Settings,
    say: Say,
    *,
    count: int = ASKED,
) -> tuple[tuple[Measured, ...], tuple[Asked, ...]]:
    """Return the sets with what the models answered, and each model and strategy on each set.

    askers: by the model's name, the verifier first. ledger: what stands in it is not asked again. count: rows of a set,
    at most; they are drawn by one seed, the same for all. The example of one-shot is the last row of the set, which is
    not asked about. say gets a line as each part begins. Raises as `drive.ask_all` does (ConnectionBroken, TryLater),
    CallFailed, BadInput, StorageError and StoreFull.
    """
    sets, asked = [], []
    for measured in found:
        rows, classes = draw_rows(measured.dataset, settings.folders.data, settings.limit)
        chosen = _choose(len(rows), count)
        hard = follow_paper(measured.votes.pool(measured.dataset.pool)).hard[chosen]
        answered: list[Replies] = []
        for model, asker in askers.items():
            for strategy in STRATEGIES:
                say(f"{measured.dataset.name}: {strategy} by {model}")
                replies = _ask(rows, chosen, Plan(tuple(classes), strategy), asker, ledger)
                asked.append(_sum_up(measured, model, strategy, replies, hard, rows.gold[chosen]))
                if strategy is Strategy.ZERO_SHOT:
                    answered.append(replies)
        figures = _measure(measured, chosen, answered[0], settings)
        consulted = Consulted(chosen, tuple(askers), tuple(answered), figures)
        sets.append(replace(measured, consulted=consulted))
    return tuple(sets), tuple(asked)


def _choose(n_rows: int, count: int) -> IntArray:
    """Return the rows to ask about, ascending: all but the last one where there are so few."""
    order = np.random.default_rng(_DRAW_SEED).permutation(n_rows - 1)
    return np.sort(order[:count])


def _ask(rows: GoldRows, chosen: IntArray, plan: Plan, asker: Asker, ledger: Ledger) -> Replies:
    example = Example(rows.texts[-1], plan.classes[int(rows.gold[-1])])
    shown = (example,) if plan.strategy is Strategy.ONE_SHOT else ()
    questions = [Question(number, rows.texts[row], examples=shown) for number, row in enumerate(chosen)]
    verdicts = ask_all(questions, plan, asker, ledger, Pace(_AT_ONCE), price=_FREE)
    return _collect(sorted(verdicts, key=lambda one: one.question_id), ledger)


def _collect(verdicts: Sequence[Verdict], ledger: Ledger) -> Replies:
    taken = np.full((len(verdicts), 3), np.nan)
    for number, verdict in enumerate(verdicts):
        answers = list(ledger.recall(verdict.keys).values())
        if not answers:
            continue
        taken[number, 2] = sum(answer.latency_s for answer in answers)
        if not any(answer.usage.is_estimated for answer in answers):
            taken[number, 0] = sum(answer.usage.tokens_in for answer in answers)
            taken[number, 1] = sum(answer.usage.tokens_out for answer in answers)
    classes = np.array([verdict.class_index for verdict in verdicts], dtype=np.int64)
    return Replies(classes, *taken.T)


def _measure(measured: Measured, chosen: IntArray, replies: Replies, settings: Settings) -> tuple[Figures, ...]:
    """Return by seed what the policies give on the chosen rows, with the same person as in every other table."""
    votes, dataset = measured.votes, measured.dataset
    ballots, gold = votes.pool(dataset.pool).take(chosen), votes.gold[chosen]
    accuracy = settings.person_accuracy
    answers = replies.classes.tolist()
    digest = digest_settings(_FORMAT, hash_votes(votes), dataset.pool, accuracy, chosen.tolist(), answers)
    figures = []
    for seed in range(settings.seeds):
        person = simulate_person(votes.gold, ballots.n_classes, accuracy, seed)[chosen]
        reviewers = Reviewers(person, replies.classes)
        path = settings.folders.kept / "figures" / f"{dataset.name}-asked-{seed}-{digest}.json"
        figures.append(keep(path, partial(measure_policies, ballots, gold, reviewers, seed=seed)))
    return tuple(figures)


def _sum_up(
    measured: Measured, model: str, strategy: Strategy, replies: Replies, hard: BoolArray, gold: IntArray
) -> Asked:
    return Asked(
        title=measured.dataset.title,
        model=model,
        strategy=strategy,
        rows=len(gold),
        hard_rows=int(hard.sum()),
        accuracy=share_right(replies.classes, gold),
        hard_accuracy=share_right(replies.classes[hard], gold[hard]),
        abstained=int((replies.classes == ABSTAIN).sum()),
        tokens=average((replies.tokens_in + replies.tokens_out).tolist()).value,
        seconds=average(replies.seconds.tolist()).value,
    )
