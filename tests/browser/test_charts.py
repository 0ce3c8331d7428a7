"""Figures in a real browser: drawn from their tables, in the page's theme, and tables where no script runs."""

import pytest

from tests.browser.person import DESK, PHONE
from tests.labeling.factories import make_project
from tests.labeling.refinement.made_rounds import (
    make_done_round,
    make_pooled_run,
    make_training_round,
    make_versions,
)

DRAWN = "return [...document.querySelectorAll('figure canvas')].filter((one) => one.width > 100).length"
PICTURE = "return document.querySelector('figure canvas').toDataURL()"


@pytest.fixture
def project(staff):
    project = make_project(staff)
    versions = make_versions(project)
    run = make_pooled_run(project, versions)
    _round, pool = make_done_round(run, versions)
    make_training_round(run, pool)
    return project


def _open(reader, project, number=""):
    reader.open(f"/p/{project.slug}/refinement" + (f"/{number}" if number else ""))


def test_figures_are_drawn_and_their_tables_wait(reader, project):
    _open(reader, project, 1)
    assert reader.until(lambda: reader.chrome.execute_script(DRAWN)) == 4
    table = reader.all("figure .table-scroll")[0]
    assert not table.is_displayed()
    reader.press("Show table")
    reader.until(table.is_displayed)
    reader.press("Hide table")
    reader.until(lambda: not table.is_displayed())


def test_an_open_table_stays_open_when_the_page_asks_again(reader, project):
    _open(reader, project, 2)
    reader.press("Show table")
    old = reader.find("#loss-table")
    reader.chrome.execute_script("htmx.trigger('#work', 'live')")
    reader.until(lambda: reader.find("#loss-table") != old)
    assert (reader.find("#loss-toggle").text, reader.chrome.execute_script(DRAWN)) == ("Hide table", 1)
    assert reader.chrome.execute_script("return document.activeElement.id") == "loss-toggle"


def test_figures_follow_the_theme_and_the_window(reader, project):
    _open(reader, project, 2)
    light = reader.until(lambda: reader.chrome.execute_script(PICTURE))
    reader.chrome.execute_script("document.documentElement.dataset.theme = 'dark'")
    reader.until(lambda: reader.chrome.execute_script(PICTURE) != light)
    reader.look(PHONE)
    reader.until(lambda: 100 < reader.all("figure canvas")[0].rect["width"] < 390)
    assert reader.overflow() == 0
    reader.look(DESK)


def test_the_pointer_reads_the_table(reader, project):
    _open(reader, project)
    reader.until(lambda: reader.chrome.execute_script(DRAWN))
    over = reader.find("#hard-share .u-over")
    reader.chrome.execute_script(
        "const box = arguments[0].getBoundingClientRect(), at = {clientX: box.left + 2, clientY: box.top + 9};"
        "for (const name of ['mouseenter', 'mousemove']) arguments[0].dispatchEvent(new MouseEvent(name, at))",
        over,
    )
    reader.read("Round Start · Hard share 65.0%", css="#hard-share .chart-readout")


def test_without_scripts_the_tables_stand_there(reader, project):
    reader.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        _open(reader, project, 1)
        tables = reader.all("figure table")
        assert [table.is_displayed() for table in tables] == [True] * 4
        assert reader.all("[data-chart-table]")[0].is_displayed() is False
    finally:
        reader.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
