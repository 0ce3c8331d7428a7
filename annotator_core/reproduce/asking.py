"""The rows of Table 3 that only a real endpoint can give: zero-shot, one-shot and chain of thought on each set."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from annotator_core.reproduce.intervals import share_of_rows
from annotator_core.reproduce.kept import digest_settings
from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.rules import follow_paper
from annotator_core.reproduce.study import Measured, Say, Settings, keep
from annotator_core.reproduce.targets import draw_rows
from annotator_core.verifiers.capability import probe
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Asker, Example, Plan, Price, Question, Strategy, Verdict
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Pace
from annotator_core.verifiers.prompts import version

ASKED: Final = 200
"""Rows of a set that are asked about; chosen: an accuracy is then known to 7 points."""
STRATEGIES: Final = (Strategy.ZERO_SHOT, Strategy.ONE_SHOT, Strategy.CHAIN_OF_THOUGHT)
"""Those of the paper's Table 3. Its one-shot form is unpublished: an example with its label before the text is ours."""
_AT_ONCE: Final = 4
"""Requests; chosen: seconds a row stay near those of one at a time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One strategy on one set: accuracies on all asked rows and on hard ones, tokens and seconds a row."""

    title: str
    strategy: Strategy
    rows: int
    hard_rows: int
    accuracy: float
    hard_accuracy: float
    abstained: int
    tokens: float
    seconds: float


def ask_endpoint(
    found: Sequence[Measured],
    endpoint: Endpoint,
    settings: Settings,
    say: Say,
    *,
    allow: Sequence[str] = (),
    count: int = ASKED,
) -> tuple[Asked, ...]:
    """Return every strategy on the first rows of each set, kept by set, model and strategy.

    The example of one-shot is the last row of the set, which is not asked about. allow: hosts with a private address
    that may be asked. say gets a line as each part begins. Raises AddressRefused, CallFailed, ConnectionBroken,
    TryLater, StorageError and StoreFull.
    """
    with _open_asker(endpoint, allow) as asker:
        asked = []
        for measured in found:
            for strategy in STRATEGIES:
                say(f"{measured.dataset.name}: {strategy} by {endpoint.model}")
                asked.append(_ask_set(measured, asker, settings, strategy, count))
    return tuple(asked)


@contextmanager
def _open_asker(endpoint: Endpoint, allow: Sequence[str]) -> Iterator[Asker]:
    # The paper asks in words alone, so no form of an answer is forced.
    capability = replace(probe(endpoint, allow).capability, schema="text", has_logprobs=False)
    with OpenAIAsker(replace(endpoint, capability=capability), allow=allow) as asker:
        yield asker


def _ask_set(measured: Measured, asker: Asker, settings: Settings, strategy: Strategy, count: int) -> Asked:
    rows, classes = draw_rows(measured.dataset, settings.folders.data, settings.limit)
    texts = rows.texts[: min(count, len(rows) - 1)]
    plan, example = Plan(tuple(classes), strategy), Example(rows.texts[-1], classes[int(rows.gold[-1])])
    digest = digest_settings(asker.identity, version(plan), texts, classes, [example.text, example.label])
    path = settings.folders.kept / "answers" / f"{measured.dataset.name}-{digest}.json"
    shown = (example,) if strategy is Strategy.ONE_SHOT else ()
    questions = [Question(number, text, examples=shown) for number, text in enumerate(texts)]

    kept = np.array(keep(path, lambda: {"rows": _ask_all(questions, plan, asker)})["rows"], dtype=np.float64)
    is_right = kept[:, 0] == rows.gold[: len(texts)]
    hard = follow_paper(measured.votes.pool(measured.dataset.pool)).hard[: len(texts)]
    return Asked(
        title=measured.dataset.title,
        strategy=strategy,
        rows=len(texts),
        hard_rows=int(hard.sum()),
        accuracy=float(is_right.mean()),
        hard_accuracy=float(is_right[hard].mean()) if hard.any() else float("nan"),
        abstained=int((kept[:, 0] < 0).sum()),
        tokens=float(kept[:, 1].mean()),
        seconds=float(kept[:, 2].mean()),
    )


def _ask_all(questions: Sequence[Question], plan: Plan, asker: Asker) -> list[list[Any]]:
    """Return for each question the class index or ABSTAIN, tokens in and out, and seconds."""
    ledger, price = MemoryLedger(), Price(0.0, 0.0, 0.0)
    verdicts = ask_all(questions, plan, asker, ledger, Pace(_AT_ONCE), price=price)
    return [_describe(verdict, ledger) for verdict in sorted(verdicts, key=lambda one: one.question_id)]


def _describe(verdict: Verdict, ledger: MemoryLedger) -> list[Any]:
    answers = ledger.recall(verdict.keys).values()
    tokens = sum(answer.usage.tokens_in + answer.usage.tokens_out for answer in answers)
    return [verdict.class_index, tokens, sum(answer.latency_s for answer in answers)]


def write_asked(asked: Sequence[Asked]) -> str:
    """Return the table of what a real endpoint answered."""
    head = ["set", "strategy", "rows", "accuracy", "on hard rows", "no label", "tokens a row", "s a row"]
    rows = [
        [
            each.title, each.strategy, str(each.rows), share_of_rows(each.accuracy, each.rows).tell(),
            share_of_rows(each.hard_accuracy, each.hard_rows).tell(), str(each.abstained), f"{each.tokens:.0f}",
            f"{each.seconds:.2f}",
        ]
        for each in asked
    ]  # fmt: skip
    return write_table(head, rows)
