"""Records become rows to store, or flaws. Equal whether it is the first read or a repeat."""

from collections.abc import Iterator
from dataclasses import dataclass
from json import dumps
from pathlib import Path

from django.utils.translation import gettext as _

from labeling.datasets.readers.objects import read_objects, without
from labeling.datasets.readers.parts import Columns, Flaw, JsonRecord, Reading, Record, excerpt
from labeling.datasets.readers.table import read_columns, read_records
from labeling.web.cells import unguard

MAX_ID = 200
MAX_GOLD = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A record that can be stored: `cells` is the JSON of its other columns."""

    number: int
    line: int
    text: str
    external_id: str | None
    gold: str
    cells: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot."""

    number: int
    line: int
    flaw: Flaw


def read_rows(path: Path, reading: Reading, columns: Columns, order: tuple[str, ...]) -> Iterator[Row | Refusal]:
    """All records as rows or refusals; CSV cells in the order of `order`. Raises UnreadableFile."""
    if reading.format == "jsonl":
        return (_from_object(record, columns) for record in read_objects(path, reading))
    return _from_table(path, reading, columns, order)


def _from_table(path: Path, reading: Reading, columns: Columns, order: tuple[str, ...]) -> Iterator[Row | Refusal]:
    names = read_columns(path, reading)
    places = [names.index(name) for name in order]
    for record in read_records(path, reading):
        yield _from_cells(record, columns, order, places)


def _from_cells(record: Record, columns: Columns, order: tuple[str, ...], places: list[int]) -> Row | Refusal:
    if record.flaw:
        return Refusal(record.number, record.line, record.flaw)
    cells = [record.cells[i] for i in places]
    if columns.is_guarded:
        cells = [unguard(cell) if cell else cell for cell in cells]
    named = dict(zip(order, cells, strict=True))
    cells[order.index(columns.text)] = None
    gold = named[columns.gold] or "" if columns.gold else ""
    external_id = named[columns.id] if columns.id else None
    return _row(
        (record.number, record.line),
        columns,
        (named[columns.text], external_id, gold),
        dumps(cells, ensure_ascii=False),
    )


def _from_object(record: JsonRecord, columns: Columns) -> Row | Refusal:
    if record.flaw:
        return Refusal(record.number, record.line, record.flaw)
    named = {name: text for name, text, *_rest in record.values}
    found = next((value for value in record.values if value[0] == columns.text), None)
    if found is None or not found[4]:
        reason = _("The text is missing.") if found is None else _("The text is not a JSON string.")
        return Refusal(record.number, record.line, Flaw(reason, columns.text, excerpt(record.raw)))
    external_id = named.get(columns.id, "") if columns.id else None
    gold = named.get(columns.gold, "") if columns.gold else ""
    cells = without(record.raw, found[2], found[3])
    return _row((record.number, record.line), columns, (found[1], external_id, gold), cells)


def _row(
    place: tuple[int, int], columns: Columns, found: tuple[str | None, str | None, str], cells: str
) -> Row | Refusal:
    text, external_id, gold = found
    flaw = _check(columns, text or "", external_id, gold)
    return Refusal(*place, flaw) if flaw else Row(*place, text or "", external_id, gold, cells)


def _check(columns: Columns, text: str, external_id: str | None, gold: str) -> Flaw | None:
    if not text.strip():
        return Flaw(_("The text is empty."), columns.text)
    if external_id is not None and not external_id:
        return Flaw(_("The id is empty."), columns.id)
    if external_id is not None and len(external_id) > MAX_ID:
        return Flaw(_("The id is longer than 200 characters."), columns.id, excerpt(external_id))
    if len(gold) > MAX_GOLD:
        return Flaw(_("The gold label is longer than 100 characters."), columns.gold, excerpt(gold))
    return None
