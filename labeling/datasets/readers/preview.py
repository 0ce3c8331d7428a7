"""What a person sees before an import: how the file is read, its first records, and guesses they can change."""

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.datasets.readers.dialect import (
    guess_delimiter,
    guess_format,
    guess_gold,
    guess_id,
    guess_text,
    read_sample,
)
from labeling.datasets.readers.objects import read_objects
from labeling.datasets.readers.parts import Columns, JsonRecord, Reading, Record, UnreadableFile
from labeling.datasets.readers.sniff import detect_encoding
from labeling.datasets.readers.table import check_names, read_columns, read_records
from labeling.web.cells import is_bare_formula

SHOWN = 20
LOOKED_AT = 200
OWN_COLUMNS = frozenset(
    {"label_source", "confidence", "uncertainty", "route", "votes", "decided_at", "labels_by_annotator"}
)


@dataclass(frozen=True, slots=True)
class Preview:
    """The first records: `rows` are those without a flaw, `flawed` the others, `guess` what the columns seem to be."""

    reading: Reading
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    flawed: list[tuple[int, str]]
    guess: Columns


def detect_reading(path: Path, filename: str) -> Reading:
    """How the file seems to be written. Raises UnreadableFile when it is no text file."""
    encoding = detect_encoding(path).encoding
    sample, is_cut = read_sample(path, encoding)
    format_name = guess_format(sample, filename)
    if re.match(r"\s*\[\s*[{\]]", sample):
        message = _("This file is one JSON list. Write one object a line instead (JSONL), or save the table as CSV.")
        raise UnreadableFile(message, 1)
    delimiter = guess_delimiter(sample, is_cut=is_cut) if format_name == "csv" else ","
    return Reading(format_name, encoding, delimiter)


def read_preview(path: Path, reading: Reading) -> Preview:
    """The first records under `reading`. Raises UnreadableFile."""
    if reading.format == "jsonl":
        return _preview_objects(path, reading)
    columns = read_columns(path, reading)
    return _build(reading, columns, list(islice(read_records(path, reading), LOOKED_AT)))


def _preview_objects(path: Path, reading: Reading) -> Preview:
    records = list(islice(read_objects(path, reading), LOOKED_AT))
    columns = tuple(dict.fromkeys(name for record in records for name, *_rest in record.values))
    if not columns:
        flaw = next((record.flaw.reason for record in records if record.flaw), "")
        raise UnreadableFile(_("No line of the file is a JSON object. %(reason)s") % {"reason": flaw}, 1)
    check_names(columns)
    return _build(reading, columns, [_in_columns(record, columns) for record in records])


def _in_columns(record: JsonRecord, columns: tuple[str, ...]) -> Record:
    texts = {name: text for name, text, *_rest in record.values}
    return Record(record.number, record.line, tuple(texts.get(name) for name in columns), record.flaw)


def _build(reading: Reading, columns: tuple[str, ...], records: list[Record]) -> Preview:
    if not records:
        raise UnreadableFile(_("The file has a header but no rows."), 1)
    rows = [tuple(cell or "" for cell in record.cells) for record in records if record.flaw is None]
    flawed = [(record.line, record.flaw.reason) for record in records if record.flaw]
    text = guess_text(columns, rows)
    is_ours = reading.format == "csv" and _has_own_columns(columns)
    is_guarded = is_ours and not any(is_bare_formula(cell) for row in rows for cell in row)
    guess = Columns(text, guess_id(columns, rows, text) if rows else "", guess_gold(columns, rows, text), is_guarded)
    return Preview(reading, columns, rows[:SHOWN], flawed, guess)


def _has_own_columns(columns: tuple[str, ...]) -> bool:
    names = {name.removeprefix("aa_") for name in columns}
    return names >= OWN_COLUMNS
