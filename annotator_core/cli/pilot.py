"""``python -m annotator_core pilot``: a few hundred random rows say what all rows will take."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.exits import Exit
from annotator_core.cli.gold import read_gold
from annotator_core.cli.outputs import write_result
from annotator_core.cli.pool import HubAccess, load_pool
from annotator_core.cli.progress import show_bar
from annotator_core.cli.shared import add_pool, add_source, read_pool
from annotator_core.cli.tables import Table, open_source, read_windows
from annotator_core.cli.verifier import read_price
from annotator_core.types import ABSTAIN

if TYPE_CHECKING:
    from annotator_core.pilot import Answered, Pilot

_EXAMPLES: Final = """\
  python -m annotator_core pilot tweets.csv --text-column text --classes negative,neutral,positive \\
      --specialist models/a --specialist models/b --specialist models/c
  ... --rows 1000 --seed 7            another and a larger sample; equal seeds draw the same rows
  ... --gold-column answer            how right they are where people have answered random rows
  ... --seconds-per-row 6             what a person takes for one row (default: 10)
  ... --price 0.15,0.6 --usd-per-hour 18     what a language model would cost beside people, and which to take
  ... --json                          the same figures for a program
"""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``pilot``."""
    parser = add_command(
        commands,
        "pilot",
        purpose="try a pool on a few hundred random rows and forecast the work",
        description="Let a pool vote on random rows: agreement, forecast of rows for a person, time, accuracy.",
        examples=_EXAMPLES,
    )
    add_source(parser)
    add_pool(parser)
    parser.add_argument("--rows", type=int, default=300, metavar="N", help="random rows to vote on (default: 300)")
    parser.add_argument("--min-agree", type=int, metavar="N", help="review where fewer than N agree (default: all)")
    parser.add_argument("--gold-column", metavar="NAME", help="people's answers for random rows, empty for the others")
    parser.add_argument("--seconds-per-row", type=float, default=10.0, metavar="S", help="of a person (default: 10)")
    parser.add_argument(
        "--price", metavar="IN,OUT", help="dollars for a million tokens of a language model: forecast its modes, too"
    )
    parser.add_argument("--usd-per-hour", type=float, metavar="X", help="of a person, for the forecast")
    parser.add_argument("--seed", type=int, default=0, help="of the rows that are drawn (default: 0)")
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write the figures to stdout; raises AnnotatorError's children."""
    from annotator_core.cli.figures import to_json
    from annotator_core.pilot import count_votes, draw_rows, run_pilot

    options = read_pool(named)
    with open_source(named.input, named.text_column, named.format) as table:
        drawn = draw_rows(table.n_rows, named.rows, named.seed)
        answered = _find_answered(table, named, options.classes)
        pool, texts = load_pool(options, hub), pick_texts(table, drawn.tolist())
    with show_bar(count_votes(len(texts), len(answered.texts), len(pool)), "vote") as advance:
        pilot = run_pilot(
            texts,
            pool,
            n_rows=table.n_rows,
            answered=answered,
            min_agree=named.min_agree,
            seconds_a_row=named.seconds_per_row,
            on_votes=advance,
        )
    if named.price is None:
        write_result(to_json(pilot) if named.json else _tell(pilot, options.classes, named.seconds_per_row))
    else:
        from annotator_core.cli.forecasting import forecast, tell_forecast
        from annotator_core.verifiers.forecast import People

        people = People(named.seconds_per_row, named.usd_per_hour)
        found = forecast(pilot, texts, options.classes, read_price(named.price), people)
        told = _tell(pilot, options.classes, named.seconds_per_row) + tell_forecast(found)
        write_result(to_json(found) if named.json else told)
    return Exit.DONE


def _find_answered(table: Table, named: argparse.Namespace, classes: Sequence[str]) -> "Answered":
    from annotator_core.pilot import NOTHING_ANSWERED, Answered, draw_rows

    if named.gold_column is None:
        return NOTHING_ANSWERED
    gold = read_gold(table, named.gold_column, classes)
    rows = np.flatnonzero(gold != ABSTAIN)
    kept = rows[draw_rows(len(rows), named.rows, named.seed)]
    return Answered(pick_texts(table, kept.tolist()), gold[kept])


def pick_texts(table: Table, rows: Sequence[int]) -> list[str]:
    """Return the texts at these positions, in the table's order; raises BadInput as `read_windows` does."""
    wanted, texts, low = set(rows), list[str](), 0
    for window in read_windows(table):
        texts += [text for number, text in enumerate(window.texts, start=low) if number in wanted]
        low += len(window.texts)
    return texts


def _tell(pilot: "Pilot", classes: Sequence[str], seconds: float) -> str:
    from annotator_core.cli.figures import format_hours, format_percent

    hours = pilot.human_hours
    work = f"{format_hours(hours.value or 0.0)} of work ({format_hours(hours.low)} to {format_hours(hours.high)})"
    lines = [
        f"{pilot.n_drawn:,} of {pilot.n_rows:,} rows, drawn at random.\n",
        _tell_voters(pilot, classes),
        f"All specialists agree on {format_percent(pilot.unanimous)} of the rows{_tell_alpha(pilot)}.\n",
        _tell_uncertainty(pilot),
        f"For a person: {format_percent(pilot.hard)} of the rows; at {seconds:g} s a row {work}.",
        f"All votes take about {format_hours(pilot.vote_hours)} on this machine, once the models are loaded.",
    ]
    if pilot.n_answered:
        right, sure = format_percent(pilot.majority_accuracy), format_percent(pilot.accepted_accuracy)
        lines.append(f"On {pilot.n_answered:,} answered rows the majority is right on {right},")
        lines.append(f"and where it needs no person on {sure}.")
    return "".join(f"{line}\n" for line in lines)


def _tell_voters(pilot: "Pilot", classes: Sequence[str]) -> str:
    from annotator_core.cli.figures import format_percent, format_table

    rows = [
        [
            voter.name,
            *(f"{share:.1%}" for share in voter.class_shares),
            f"{voter.abstained:.1%}",
            "-" if voter.texts_per_s is None else f"{voter.texts_per_s:,.0f}",
            format_percent(voter.accuracy),
        ]
        for voter in pilot.voters
    ]
    return format_table(["specialist", *classes, "abstains", "texts/s", "right"], rows)


def _tell_alpha(pilot: "Pilot") -> str:
    alpha = pilot.alpha
    if alpha.value is None:
        return ""
    told = f"; Krippendorff's alpha between them is {alpha.value:.2f}"
    return told if alpha.low is None or alpha.high is None else f"{told} ({alpha.low:.2f} to {alpha.high:.2f})"


def _tell_uncertainty(pilot: "Pilot") -> str:
    from annotator_core.cli.figures import format_bar

    lines = [f"U = {value:.2f}  {count:>6,}  {format_bar(count / pilot.n_drawn)}\n" for value, count in pilot.histogram]
    return "".join(["Rows by uncertainty, the share of specialists outside the majority:\n", *lines])
