"""Memory and statements that must not grow with the rows. Peaks are by tracemalloc: what Python holds."""

import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.datasets.models import Sample
from labeling.exports.actions import create_export
from labeling.runs.actions import cancel_run, start_run
from labeling.runs.policies import Policy
from labeling.runs.queries import votable_versions
from tests.labeling.datasets.imports import begin, import_file, receive
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import make_pool, work_off

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
SMALL, LARGE = 11_000, 30_000  # two batches are alive at a change; more rows must hold no more
GROWTH_BYTES = 2_000_000  # 19,000 rows more would hold some 8 MB


def csv_of(rows):
    lines = (f'r{number},"a text of some length, number {number}, {"word " * 30}"' for number in range(rows))
    return ("id,text\n" + "\n".join(lines)).encode()


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def project():
    return make_project(make_user())


def test_c32_an_import_holds_no_more_of_a_longer_file(project, settings):
    peaks = []
    for rows in (SMALL, LARGE):
        begin(receive(project, csv_of(rows)))
        peaks.append(peak_of(work_off))
    assert peaks[1] - peaks[0] < GROWTH_BYTES


def test_c29_a_full_project_costs_an_import_no_more_statements(project):
    counts = []
    for _time in range(2):
        begin(receive(project, csv_of(2_000)))
        with CaptureQueriesContext(connection) as statements:
            work_off()
        counts.append(sum(Sample._meta.db_table in one["sql"] for one in statements.captured_queries))
        import_file(project, csv_of(SMALL))
    assert counts[1] <= counts[0]


def test_c34_an_export_holds_no_more_of_a_larger_data_set(project):
    peaks = []
    for rows in (SMALL, LARGE):
        dataset = import_file(project, csv_of(rows)).dataset
        create_export(dataset=dataset, by=None)
        peaks.append(peak_of(work_off))
    assert peaks[1] - peaks[0] < GROWTH_BYTES


def test_a_run_holds_no_more_of_a_larger_data_set(project, tmp_path, settings):
    settings.CHUNK_ROWS = 500
    make_pool(project, tmp_path)
    peaks = []
    for rows in (2_000, 6_000):
        dataset = import_file(project, csv_of(rows)).dataset
        run = start_run(
            project=project, dataset=dataset, versions=votable_versions(project), policy=Policy(3, 20.0), by=None
        )
        peaks.append(peak_of(work_off))
        cancel_run(run=run)
        work_off()
    assert peaks[1] - peaks[0] < GROWTH_BYTES
