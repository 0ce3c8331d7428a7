"""What exports say of audits: a word a row, and the newest assessment in the manifest."""

import pytest

from tests.labeling.exports.exporting import csv_rows, export_file
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.quality.made_assessments import NOTHING, make_assessment, make_audit, make_figures

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    """A run over 20 texts, of which 4 are kept apart."""
    return make_run(make_dataset(make_project(make_user()), [f"text {n}" for n in range(20)]), hard=set())


def test_each_row_says_what_the_audit_made_of_it(run):
    make_audit(run.dataset, drawn=3, answered=2, by=run.project.created_by)
    _export, data = export_file(run.dataset)
    told = sorted(row["audit"] for row in csv_rows(data))
    assert told == [""] * 16 + ["audited", "audited", "drawn", "frame"]


def test_the_manifest_has_no_quality_before_an_assessment(run):
    export, _data = export_file(run.dataset)
    assert export.manifest["run"]["quality"] is None


def test_the_manifest_tells_the_newest_assessment(run):
    make_assessment(run)
    made = make_assessment(run, figures=make_figures(run, reviewed=NOTHING))
    export, _data = export_file(run.dataset)
    told = export.manifest["run"]["quality"]
    assert (told["as_of"], told["assessment"]) == (made.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"), 2)
    assert told["all"] == {"right": 0.902, "low": 0.863, "high": 0.931, "texts": 300}
    assert (told["reviewed"], told["winner"], told["is_of_newest_generation"]) == (None, "stacker", True)
    assert told["audit"] == {"frame_texts": 1200, "drawn": 312, "answered": 300}


def test_the_manifest_tells_every_certificate(run):
    make_assessment(run)
    export, _data = export_file(run.dataset)
    told = {one["target_error"]: one for one in export.manifest["run"]["quality"]["certificates"]}
    assert told[5] == {
        "target_error": 5,
        "confidence": 95,
        "is_reached": True,
        "threshold": 0.61,
        "accepted_share": 0.58,
        "error_bound": 0.047,
        "rows_used": 196,
        "rows_needed": None,
    }
    assert [(target, one["is_reached"], one["rows_needed"]) for target, one in told.items()] == [
        (1, False, None),
        (2, False, 2400),
        (3, False, 410),
        (5, True, None),
        (10, True, None),
    ]
