"""``python -m annotator_core certify``: what may be accepted of a labeled table, by answers to random texts."""

import argparse
from typing import Final

from annotator_core.cli.answered import Columns, read_labeled
from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.exits import Exit
from annotator_core.cli.findings import Question, find, tell
from annotator_core.cli.looks import LOOKS_HELP, add_look, read_confidence, read_look
from annotator_core.cli.outputs import write_result
from annotator_core.cli.planning import plan_answers, read_wish, tell_plan
from annotator_core.cli.pool import HubAccess
from annotator_core.cli.shared import add_source
from annotator_core.cli.tables import open_source
from annotator_core.errors import BadInput

_EXAMPLES: Final = f"""\
  python -m annotator_core certify labeled.csv --text-column text --gold-column answer
  ... --targets 2,5 --confidence 90   other target errors in percent (default: 1,2,3,5,10), with 90% confidence
  ... --score-column margin           any numbers from 0 up of which a higher one is surer (default: confidence)
  ... --per-class                     a threshold for each class of the label: rare classes are held to the target, too
  ... --price-per-label 0.05          what the answers cost that are still needed
  ... --look 2                        these answers, and perhaps more, were looked at once before
  ... --always-valid                  looked at as often as one likes: labels and scores stay, answers are added
  ... --unfitted                      nothing was fitted on these answers: all of them may certify
  ... --json                          the same figures for a program
  python -m annotator_core certify tweets.csv --text-column text --plan 5,2 --price-per-label 0.05
                                      before anybody answers: how many texts it takes to show that at most 5 percent
                                      are wrong where 2 percent are; --plan 5,2,60 to accept 60 percent of the rows

The answers must be of different texts drawn at random, each once, whatever their labels. Where texts stand in the table
several times, draw from it without the copies: random rows hold frequent texts too often, and nothing is shown by them.
Where an aggregator was fitted on the answers (label with --gold-column) a third of them, chosen by the texts, was; the
other two thirds certify. What is promised is the target: of the different texts that score at least what is printed, as
it is printed, at most so many are wrong. The exit status is 3 where no target is reached or the plan needs more texts
than there are.

{LOOKS_HELP}
With --always-valid it is the full confidence at every look, by time-uniform bounds on fixed scores (0.99, 0.98, ... 0):
for a table that stays as it is while people go on answering.
"""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``certify``."""
    parser = add_command(
        commands,
        "certify",
        purpose="show what may be accepted of a labeled table, and at which error",
        description="Certify labels by people's answers to random texts: thresholds on a score, estimates, the price.",
        examples=_EXAMPLES,
    )
    add_source(parser)
    parser.add_argument("--gold-column", metavar="NAME", help="people's answers, empty for other rows")
    parser.add_argument("--label-column", default="label", metavar="NAME", help="(default: label)")
    parser.add_argument("--score-column", default="confidence", metavar="NAME", help="(default: confidence)")
    parser.add_argument("--targets", default="1,2,3,5,10", metavar="A,B,...", help="target errors in percent")
    parser.add_argument("--confidence", type=float, default=95.0, metavar="PERCENT", help="(default: 95)")
    parser.add_argument("--per-class", action="store_true", help="a threshold for each class, which hold all together")
    parser.add_argument("--price-per-label", type=float, metavar="X", help="of an answer, in any currency")
    parser.add_argument(
        "--plan", metavar="TARGET,TRUE", help="how many answers a target error takes where TRUE percent are wrong"
    )
    looking = parser.add_mutually_exclusive_group()
    add_look(looking, "1")
    looking.add_argument("--always-valid", action="store_true", help="looked at again and again while answers come in")
    parser.add_argument("--unfitted", action="store_true", help="nothing was fitted on these answers")
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write the figures to stdout; raises AnnotatorError's children."""
    del hub  # no model is needed
    _check(named)
    return _certify(named) if named.plan is None else _plan(named)


def _check(named: argparse.Namespace) -> None:
    wrong = {
        "Name the column of people's answers with --gold-column, or ask with --plan how many it takes.": (
            named.gold_column is None and named.plan is None
        ),
        "Classes and plans go look by look: leave --always-valid out.": (
            named.always_valid and (named.per_class or named.plan is not None)
        ),
        "--price-per-label is 0 or more.": not (named.price_per_label or 0) >= 0,
    }
    for why, is_wrong in wrong.items():
        if is_wrong:
            raise BadInput(why)


def _certify(named: argparse.Namespace) -> Exit:
    from annotator_core.cli.figures import to_json

    look = None if named.always_valid else read_look(named) or 1
    targets = _parse_targets(named.targets)
    asked = Question(targets, read_confidence(named), look, named.per_class, named.price_per_label)
    with open_source(named.input, named.text_column, named.format) as table:
        columns = Columns(named.gold_column, named.label_column, named.score_column)
        labeled = read_labeled(table, columns, is_unfitted=named.unfitted)
    found = find(labeled, asked)
    write_result(to_json(found) if named.json else tell(found))
    is_reached = any(line.threshold is not None for line in found.lines)
    return Exit.DONE if is_reached else Exit.NOT_REACHABLE


def _plan(named: argparse.Namespace) -> Exit:
    from annotator_core.cli.figures import to_json

    wish, confidence = read_wish(named.plan), read_confidence(named)
    with open_source(named.input, named.text_column, named.format) as table:
        planned = plan_answers(
            table,
            wish,
            look=read_look(named) or 1,
            confidence=confidence,
            price=named.price_per_label,
            is_unfitted=named.unfitted,
        )
    write_result(to_json(planned) if named.json else tell_plan(planned))
    return Exit.DONE if planned.plan.is_reachable else Exit.NOT_REACHABLE


def _parse_targets(text: str) -> list[float]:
    try:
        targets = sorted({float(part) / 100 for part in text.split(",")})
    except ValueError:
        targets = []
    if not targets or not all(0 < target < 1 for target in targets):
        raise BadInput(f"--targets must be percentages between 0 and 100, separated by commas, not {text!r}.")
    return targets
