"""The flags of ``label`` that ask a language model about hard rows."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from annotator_core.cli.policies import RECOMMENDED
from annotator_core.errors import BadInput
from annotator_core.verifiers.contract import Plan, Price, Strategy
from annotator_core.verifiers.money import check_price, to_nano

_SHOTS: Final = {Strategy.ONE_SHOT: 1, Strategy.FEW_SHOT: 5}
"""Examples before a question; five is chosen."""
_DRAWING: Final = 0.7
"""Temperature where a question is put more than once; chosen: at 0 all draws would be equal."""
EXAMPLE_LABEL: Final = "label"
"""The column of an example's class; its text stands in --text-column."""


@dataclass(frozen=True, slots=True)
class VerifierOptions:
    """Whom to ask about hard rows, how, and for how much; see the help of ``label``.

    cap_nano: None for no cap. examples: a table with verified texts and their labels. answers: where they are kept for
    other commands, too. sure_from: the least confidence, 0 to 1, that no person is needed for, None for any.
    """

    text_column: str
    url: str
    models: tuple[str, ...]
    key: str | None = field(repr=False)
    plan: Plan
    price: Price
    cap_nano: int | None
    allow: tuple[str, ...]
    concurrency: int
    examples: Path | None
    answers: Path | None
    sure_from: float | None
    is_fused: bool
    goes_on: bool

    @property
    def n_examples(self) -> int:
        """How many examples stand before a question."""
        return _SHOTS.get(self.plan.strategy, 0)


def add_verifier(parser: argparse.ArgumentParser) -> None:
    """Add whom to ask about hard rows; the key comes from the environment, OPENAI_API_KEY."""
    group = parser.add_argument_group(
        "language model", "asked about hard rows; its key is read from the environment, OPENAI_API_KEY"
    )
    group.add_argument("--verifier", metavar="URL", help="an OpenAI-compatible endpoint, up to /v1; needs --model")
    group.add_argument(
        "--model", action="append", default=[], metavar="M", help="the model's name there; the majority of several"
    )
    group.add_argument(
        "--strategy", choices=list(Strategy), default=Strategy.ZERO_SHOT.value, help="(default: zero-shot, the paper's)"
    )
    group.add_argument(
        "--examples", type=Path, metavar="FILE", help=f"verified texts, with a column {EXAMPLE_LABEL}, for the shots"
    )
    group.add_argument("--show-votes", action="store_true", help="tell the model how the specialists voted")
    group.add_argument("--draws", type=int, default=1, metavar="N", help="put each question N times (default: 1)")
    group.add_argument(
        "--sure-from", type=float, metavar="P", help="leave answers with less confidence (0 to 1) to a person"
    )
    group.add_argument("--fuse", action="store_true", help="an answer is one more vote, weighed, not the label")
    group.add_argument("--max-usd", type=float, metavar="X", help="stop before the answers cost more; needs --price")
    group.add_argument(
        "--price", metavar="IN,OUT", help="dollars for a million tokens in and out; IN,CACHED,OUT with a cache's price"
    )
    group.add_argument("--concurrency", type=int, default=8, metavar="N", help="requests at once (default: 8)")
    group.add_argument(
        "--answers", type=Path, metavar="FILE", help="keep the answers there; what stands there is never asked again"
    )
    group.add_argument(
        "--verifier-allow",
        action="append",
        default=[],
        metavar="HOST",
        help="allow this host (or host:port) though its address is private, as localhost's is",
    )


def read_verifier(named: argparse.Namespace, classes: Sequence[str], key: str | None) -> VerifierOptions | None:
    """Return what the arguments of `add_verifier` say, None for no language model; raises BadInput."""
    _check(named)
    if named.verifier is None:
        return None
    plan = Plan(
        tuple(classes),
        Strategy(named.strategy),
        shows_votes=named.show_votes,
        draws=named.draws,
        temperature=_DRAWING if named.draws > 1 else 0.0,
    )
    return VerifierOptions(
        text_column=named.text_column,
        url=named.verifier,
        models=tuple(named.model),
        key=key,
        plan=plan,
        price=read_price(named.price),
        cap_nano=None if named.max_usd is None else to_nano(named.max_usd),
        allow=tuple(named.verifier_allow),
        concurrency=named.concurrency,
        examples=named.examples,
        answers=named.answers,
        sure_from=named.sure_from,
        is_fused=named.fuse or named.policy == RECOMMENDED,
        goes_on=named.anyway,
    )


def _check(named: argparse.Namespace) -> None:
    has_shots = Strategy(named.strategy) in _SHOTS
    about_it = (
        named.examples,
        named.show_votes,
        named.sure_from,
        named.fuse,
        named.max_usd,
        named.price,
        named.answers,
    )
    wrong = {
        "--verifier and --model go together.": (named.verifier is None) is not (not named.model),
        "What is said about a language model needs --verifier and --model.": named.verifier is None and any(about_it),
        f"--strategy {named.strategy} needs --examples, and no other strategy does.": (
            has_shots is not (named.examples is not None)
        ),
        "--max-usd needs --price: without it nobody knows what a call costs.": (
            named.max_usd is not None and named.price is None
        ),
        "--draws and --concurrency are 1 or more.": min(named.draws, named.concurrency) < 1,
        "--sure-from is between 0 and 1.": not 0 <= (named.sure_from or 0) <= 1,
        "A --model is named twice.": len(set(named.model)) < len(named.model),
    }
    for why, is_wrong in wrong.items():
        if is_wrong:
            raise BadInput(why)


def read_price(written: str | None) -> Price:
    """Return the price in ``IN,OUT`` or ``IN,CACHED,OUT``, nothing for None; raises BadInput for anything else."""
    if written is None:
        return Price(0.0, 0.0, 0.0)
    try:
        numbers = [float(part) for part in written.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3):
        raise BadInput(f"--price {written!r} must be IN,OUT or IN,CACHED,OUT: dollars for a million tokens.")
    price = Price(numbers[0], numbers[-2] if len(numbers) == 3 else numbers[0], numbers[-1])
    check_price(price)
    return price
