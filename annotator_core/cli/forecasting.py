"""What ``pilot`` says of a language model before any is asked: the modes side by side, and advice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from annotator_core.cli.figures import format_hours, format_table
from annotator_core.pilot import Pilot
from annotator_core.verifiers.advice import BetaAdvice, EpsilonAdvice, advise_beta, advise_epsilon, list_epsilons
from annotator_core.verifiers.contract import Plan, Price, Question, Usage
from annotator_core.verifiers.forecast import ACCEPTED_RIGHT, ENOUGH, Known, Llm, Option, People, Rows, compare
from annotator_core.verifiers.money import cost_nano, to_usd
from annotator_core.verifiers.prompts import write_messages

_CHARACTERS_A_TOKEN: Final = 4
_TOKENS_OUT: Final = 12
"""Chosen: usual for English, and a class name in JSON. A pilot asks nobody, so that nothing is counted."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A pilot, and what all rows cost by mode. nano_a_call: of the paper's prompt on the drawn texts, an estimate."""

    pilot: Pilot
    nano_a_call: int
    options: tuple[Option, ...]
    epsilon: EpsilonAdvice
    beta: BetaAdvice


def forecast(pilot: Pilot, texts: Sequence[str], classes: Sequence[str], price: Price, people: People) -> Forecast:
    """Return the modes for all rows of a pilot's table; texts: those drawn. Raises BadInput for impossible prices."""
    nano = cost_nano(_estimate_usage(texts, classes), price)
    n_hard = round((pilot.hard.value or 0.0) * pilot.n_rows)
    accepted, rows = pilot.accepted_accuracy.value, round(pilot.n_answered * (1 - n_hard / pilot.n_rows))
    known = Known(accepted, rows) if accepted is not None and rows >= ENOUGH else ACCEPTED_RIGHT
    return Forecast(
        pilot=pilot,
        nano_a_call=nano,
        options=compare(Rows(pilot.n_rows, n_hard, known), Llm(nano), people),
        epsilon=advise_epsilon(list_epsilons(pilot.histogram, len(pilot.voters))),
        beta=advise_beta(n_hard),
    )


def tell_forecast(found: Forecast) -> str:
    """Return the forecast for a person, one line a mode."""
    rows = [
        [
            option.mode,
            f"${to_usd(option.llm_nano):,.2f}",
            format_hours(option.human_hours),
            "-" if option.human_nano is None else f"${to_usd(option.human_nano):,.2f}",
            f"{option.accuracy:.1%}",
        ]
        for option in found.options
    ]
    best = next(option for option in found.options if option.is_recommended)
    return (
        f"A call costs about ${to_usd(found.nano_a_call):.6f}, at {_CHARACTERS_A_TOKEN} characters a token.\n"
        + format_table(["mode", "calls", "human work", "its price", "expected right"], rows)
        + f"Recommended: {best.mode}. {best.reason}\nAccuracies rest on: {best.rests_on}.\n"
        + f"Epsilon: {found.epsilon.reason}\nBeta: {found.beta.reason}\n"
    )


def _estimate_usage(texts: Sequence[str], classes: Sequence[str]) -> Usage:
    plan = Plan(tuple(classes))
    sent = [write_messages(plan, Question(0, text), capability_schema="json_schema", ask=0) for text in texts]
    characters = sum(len(message.content) for messages in sent for message in messages)
    tokens_in = -(-characters // (_CHARACTERS_A_TOKEN * max(len(texts), 1)))
    return Usage(tokens_in, 0, _TOKENS_OUT, is_estimated=True)
