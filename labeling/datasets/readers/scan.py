"""The first pass over a file: nothing is stored before it has come to the end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.datasets.readers.objects import read_objects
from labeling.datasets.readers.parts import Columns, Reading, UnreadableFile
from labeling.datasets.readers.rows import Refusal, read_rows
from labeling.datasets.readers.table import check_names, read_columns

MAX_VALUES = 1_000
EVERY = 5_000


@dataclass(frozen=True, slots=True)
class Scan:
    """How many records there are, all columns, the gold values with their counts (the first 1,000)."""

    record_count: int
    columns: tuple[str, ...]
    gold_values: dict[str, int]


def scan(path: Path, reading: Reading, columns: Columns, check: Callable[[], None]) -> Scan:
    """Read the whole file once; `check` is called now and then and may raise. Raises UnreadableFile."""
    names = _all_columns(path, reading, check)
    count, values = 0, Counter[str]()
    for row in read_rows(path, reading, columns, names):
        count += 1
        if count % EVERY == 0:
            check()
        if not isinstance(row, Refusal) and row.gold and (row.gold in values or len(values) < MAX_VALUES):
            values[row.gold] += 1
    if not count:
        raise UnreadableFile(_("The file has a header but no rows."), 1)
    return Scan(count, names, dict(values.most_common()))


def _all_columns(path: Path, reading: Reading, check: Callable[[], None]) -> tuple[str, ...]:
    """The header's names, or every key of a JSONL file in the order of first sight."""
    if reading.format == "csv":
        return read_columns(path, reading)
    names: dict[str, None] = {}
    for record in read_objects(path, reading):
        if record.number % EVERY == 0:
            check()
        names.update(dict.fromkeys(name for name, *_rest in record.values))
        if len(names) > 2_000:
            break
    check_names(tuple(names))
    return tuple(names)
