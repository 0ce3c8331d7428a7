"""Exporting in tests as a person and the workers do it."""

import csv
import json
from io import StringIO

from labeling.exports.actions import create_export, file_of
from tests.labeling.datasets.imports import work_off


def export_file(dataset, **options):
    """The export after its job, and the bytes of its file."""
    export = create_export(dataset=dataset, by=None, **options)
    work_off()
    export.refresh_from_db()
    return export, file_of(export).read_bytes()


def csv_rows(data):
    """A dict a row."""
    return list(csv.DictReader(StringIO(data.decode(), newline="")))


def jsonl_rows(data):
    return [json.loads(line) for line in data.decode().split("\n") if line]
