"""The command line: what can be asked, with help and examples."""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from annotator_core.cli.pool import PoolOptions
from annotator_core.errors import BadInput
from annotator_core.loop import Policy
from annotator_core.routing import min_agree_from_epsilon

_EXAMPLES: Final = """\
examples:
  python -m annotator_core label tweets.csv --text-column text --classes negative,neutral,positive \\
      --specialist models/a --specialist models/b --specialist cardiffnlp/twitter-roberta-base-sentiment-latest \\
      --out labeled.csv
  ... --label-map models/a=a.json     a.json: {"LABEL_0": "negative", "LABEL_1": null}; null abstains
  ... --min-agree 2                   two of three must agree, the rest goes to review
  ... --budget 10                     review the least certain 10 percent of the rows

output: the input's columns, then label, label_source, confidence, uncertainty, route and votes (with the prefix aa_
where the input has such a column). A row that needs a person has an empty label and the route review. Cells are
written raw: open a file from strangers in a spreadsheet only after a check for formulas.

exit status: 0 done, 1 a problem that the message explains (no output is written), 2 wrong usage, 130 interrupted.
"""


@dataclass(frozen=True, slots=True)
class LabelOptions:
    """Everything that ``label`` was asked."""

    source: Path
    text_column: str
    out: Path
    pool: PoolOptions
    policy: Policy


def parse_label(arguments: list[str] | None) -> LabelOptions:
    """Return the options of ``label``. Exits with 2 on wrong usage; raises BadInput for values that cannot be."""
    named = _build_parser().parse_args(arguments)
    classes = _parse_classes(named.classes)
    pool = PoolOptions(
        specialists=tuple(named.specialist),
        label_maps=dict(_parse_map(entry) for entry in named.label_map),
        classes=classes,
        max_length=named.max_length,
        allow_holes=named.allow_holes,
        allow_fake=named.allow_fake,
    )
    return LabelOptions(named.input, named.text_column, named.out, pool, _parse_policy(named))


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m annotator_core", description="Label texts with small models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    label = commands.add_parser(
        "label",
        help="label a table of texts",
        description="Let a pool of specialists vote on every text; what they agree on is labeled.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_files(label)
    _add_pool(label)
    _add_policy(label)
    return parser


def _add_files(label: argparse.ArgumentParser) -> None:
    label.add_argument("input", type=Path, help="CSV, TSV or JSONL, UTF-8")
    label.add_argument("--text-column", required=True, metavar="NAME")
    label.add_argument("--out", required=True, type=Path, metavar="FILE", help="CSV or JSONL by its ending")


def _add_pool(label: argparse.ArgumentParser) -> None:
    label.add_argument("--classes", required=True, metavar="A,B,...", help="the possible answers")
    label.add_argument(
        "--specialist",
        required=True,
        action="append",
        metavar="DIR_OR_ID",
        help="a model folder or a Hub id (owner/name, owner/name@revision); repeat for each",
    )
    label.add_argument(
        "--label-map",
        action="append",
        default=[],
        metavar="SPECIALIST=FILE",
        help="JSON object from each of the model's labels to a class or null",
    )
    label.add_argument("--allow-holes", action="store_true", help="accept classes that a model has no label for")
    label.add_argument("--max-length", type=int, metavar="TOKENS", help="cut texts here (default: the model's limit)")
    label.add_argument("--allow-fake", action="store_true", help="accept fake specialists, for tests")


def _add_policy(label: argparse.ArgumentParser) -> None:
    label.add_argument("--policy", choices=["paper"], default="paper", help="how rows are routed (default: paper)")
    rule = label.add_mutually_exclusive_group()
    rule.add_argument("--epsilon", type=float, metavar="E", help="review where the uncertainty is at least E (0 to 1)")
    rule.add_argument("--min-agree", type=int, metavar="N", help="review where fewer than N agree (default: all)")
    rule.add_argument("--budget", type=float, metavar="PERCENT", help="review the least certain PERCENT of the rows")
    label.add_argument("--take-majority", action="store_true", help="fill in the majority where a person is needed")
    label.add_argument("--seed", type=int, default=0, help="of what is drawn at random; the policy paper draws nothing")


def _parse_classes(text: str) -> tuple[str, ...]:
    classes = tuple(name.strip() for name in next(csv.reader([text]), []))
    if len(classes) < 2 or "" in classes or len(set(classes)) < len(classes):
        raise BadInput("--classes needs two or more different names, separated by commas.")
    return classes


def _parse_map(entry: str) -> tuple[str, Path]:
    specialist, found, path = entry.rpartition("=")
    if not (found and specialist and path):
        raise BadInput(f"--label-map {entry!r} must be SPECIALIST=FILE.")
    return specialist, Path(path)


def _parse_policy(named: argparse.Namespace) -> Policy:
    min_agree, m = named.min_agree, len(named.specialist)
    if min_agree is not None and not 1 <= min_agree <= m:
        raise BadInput(f"--min-agree must be between 1 and the number of specialists, {m}, not {min_agree}.")
    if named.epsilon is not None:
        min_agree = min_agree_from_epsilon(named.epsilon, m)
    if named.budget is not None and not 0 <= named.budget <= 100:
        raise BadInput(f"--budget is a percentage between 0 and 100, not {named.budget}.")
    return Policy(min_agree, None if named.budget is None else named.budget / 100, named.take_majority)
