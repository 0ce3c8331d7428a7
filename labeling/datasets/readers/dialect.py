"""Guesses about a file: format, delimiter, and what its columns are."""

import csv
from io import StringIO
from pathlib import Path
from statistics import fmean

from labeling.datasets.readers.stream import BOM

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARS = 256 * 1024
SAMPLE_ROWS = 200
ID_NAMES = ("id", "_id", "uid", "uuid", "guid", "key")
TEXT_NAMES = ("text", "tweet", "sentence", "comment", "review", "message", "body", "content", "document")
GOLD_NAMES = (
    "label",
    "gold",
    "class",
    "category",
    "sentiment",
    "target",
    "intent",
    "annotation",
    "y",
    "topic",
    "stance",
)
MAX_GOLD_VALUES = 50


def read_sample(path: Path, encoding: str) -> tuple[str, bool]:
    """The first characters, without a byte order mark, and whether there are more. Bad bytes are replaced."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE_CHARS + 1)
    return sample[:SAMPLE_CHARS].removeprefix(BOM), len(sample) > SAMPLE_CHARS


def guess_format(sample: str, filename: str) -> str:
    """Return jsonl where the first line looks like an object or the name says so, else csv."""
    is_named = filename.lower().endswith((".jsonl", ".ndjson", ".json"))
    return "jsonl" if is_named or sample.lstrip().startswith('{"') else "csv"


def guess_delimiter(sample: str, *, is_cut: bool) -> str:
    """The delimiter under which the rows of the sample have the same number of cells, more than one where possible."""
    if sample[:4].lower() == "sep=" and sample[4:5] in DELIMITERS:
        return sample[4]
    return max(DELIMITERS, key=lambda delimiter: _score(sample, delimiter, is_cut=is_cut))


def _score(sample: str, delimiter: str, *, is_cut: bool) -> tuple[bool, float, int]:
    """(rows are split at all, share of rows as wide as the header, width): larger is better."""
    rows = _parse(sample, delimiter)
    if is_cut and len(rows) < SAMPLE_ROWS:
        rows = rows[:-1]
    if not rows:
        return (False, 0.0, 0)
    width = len(rows[0])
    share = sum(len(row) == width for row in rows) / len(rows)
    return (width > 1 and share > 0.5, share, width)


def _parse(sample: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(sample, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) == SAMPLE_ROWS:
                break
    except csv.Error:
        return rows
    return rows


def guess_text(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """The column with the longest cells on average, or one named like a text with a quarter of that (chosen)."""
    lengths = [fmean(len(row[i]) for row in rows) if rows else 0.0 for i in range(len(columns))]
    longest = max(lengths)
    for name, length in zip(columns, lengths, strict=True):
        if name.strip().lower() in TEXT_NAMES and length * 4 >= longest:
            return name
    return columns[lengths.index(longest)]


def guess_id(columns: tuple[str, ...], rows: list[tuple[str, ...]], text: str) -> str:
    """A column named like an id whose cells are all different, or nothing."""
    for i, name in enumerate(columns):
        cells = [row[i] for row in rows]
        is_named = name.lower() in ID_NAMES or name.lower().endswith(("_id", "-id", " id"))
        if name != text and is_named and all(cells) and len(set(cells)) == len(cells) and max(map(len, cells)) <= 200:
            return name
    return ""


def guess_gold(columns: tuple[str, ...], rows: list[tuple[str, ...]], text: str) -> str:
    """A column named like a label with few, short, different cells, or nothing."""
    for i, name in enumerate(columns):
        cells = {row[i] for row in rows}
        is_named = any(name.lower() == word or name.lower().endswith("_" + word) for word in GOLD_NAMES)
        is_named = is_named or name.lower().startswith(("gold_", "label_name"))
        if name != text and is_named and len(cells) <= MAX_GOLD_VALUES and all(len(cell) <= 100 for cell in cells):
            return name
    return ""
