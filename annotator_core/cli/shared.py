"""Arguments that several commands share: the table that is read, the pool."""

import argparse
import csv
from pathlib import Path

from annotator_core.cli.pool import PoolOptions
from annotator_core.errors import BadInput


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add what names the table that is read."""
    parser.add_argument("input", type=Path, help="CSV, TSV or JSONL, UTF-8; - is standard input")
    parser.add_argument("--text-column", required=True, metavar="NAME")
    parser.add_argument("--format", choices=["csv", "jsonl"], help="of standard input and output (default: csv)")


def add_pool(parser: argparse.ArgumentParser) -> None:
    """Add what names the classes and the specialists."""
    parser.add_argument("--classes", required=True, metavar="A,B,...", help="the possible answers")
    parser.add_argument(
        "--specialist",
        required=True,
        action="append",
        metavar="DIR_OR_ID",
        help="a model folder or a Hub id (owner/name, owner/name@revision); repeat for each",
    )
    parser.add_argument(
        "--label-map",
        action="append",
        default=[],
        metavar="SPECIALIST=FILE",
        help="JSON object from each of the model's labels to a class or null",
    )
    parser.add_argument("--allow-holes", action="store_true", help="accept classes that a model has no label for")
    parser.add_argument("--max-length", type=int, metavar="TOKENS", help="cut texts here (default: the model's limit)")
    parser.add_argument(
        "--precision",
        choices=["auto", "fp32", "bf16"],
        default="auto",
        help="of transformers; auto (default): bf16 where the hardware has it and a probe shows it to be faster, else "
        "fp32. In bf16 each specialist has its labels of fp32, but a probability moves by about 0.01 with the texts "
        "that are read with it: rows in another order may change who is at the edge of a budget, a threshold or a "
        "fitted rule. With fp32 the order changes nothing",
    )
    parser.add_argument("--allow-fake", action="store_true", help="accept fake specialists, for tests")


def read_pool(named: argparse.Namespace) -> PoolOptions:
    """Return what the arguments of `add_pool` say; raises BadInput for values that cannot be."""
    return PoolOptions(
        specialists=tuple(named.specialist),
        label_maps=dict(_parse_map(entry) for entry in named.label_map),
        classes=parse_classes(named.classes),
        max_length=named.max_length,
        allow_holes=named.allow_holes,
        allow_fake=named.allow_fake,
        precision=None if named.precision == "auto" else named.precision,
    )


def parse_classes(text: str) -> tuple[str, ...]:
    """Return the names in ``a,b,"c, d"``; raises BadInput for fewer than two, equal or empty ones."""
    classes = tuple(name.strip() for name in next(csv.reader([text]), []))
    if len(classes) < 2 or "" in classes or len(set(classes)) < len(classes):
        raise BadInput("--classes needs two or more different names, separated by commas.")
    return classes


def _parse_map(entry: str) -> tuple[str, Path]:
    specialist, found, path = entry.rpartition("=")
    if not (found and specialist and path):
        raise BadInput(f"--label-map {entry!r} must be SPECIALIST=FILE.")
    return specialist, Path(path)
