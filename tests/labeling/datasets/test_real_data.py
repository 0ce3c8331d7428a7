"""Public data sets as they are: every row comes in, and goes out again as it was."""

import csv

import pytest

from labeling.datasets.readers.parts import Columns
from tests.labeling.datasets.imports import import_file
from tests.labeling.exports.exporting import csv_rows, export_file
from tests.labeling.factories import make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("semeval_tweets_2013_2016/test.csv", 7722),
        ("twitter_financial_news/test.csv", 2377),
        ("banking77/test.csv", 3077),
        ("davidson_hate_offensive/test.csv", 4966),
    ],
)
def test_a_public_data_set_comes_in_whole_and_goes_out_as_it_was(needs_datasets, path, rows):
    content = (needs_datasets / path).read_bytes()
    upload = import_file(make_project(make_user()), content, path, columns=Columns("text", "id", "label"))
    assert (upload.state, upload.accepted_count, upload.refused_count) == ("done", rows, 0)
    _export, data = export_file(upload.dataset, is_raw=True)
    given = list(csv.DictReader(content.decode().splitlines(keepends=True)))
    written = csv_rows(data)
    assert [{name: row[name] for name in ("id", "text")} for row in written] == [
        {name: row[name] for name in ("id", "text")} for row in given
    ]
