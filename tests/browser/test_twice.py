"""Doing a thing twice: double clicks, two tabs, the back button."""

from labeling.exports.models import Export
from labeling.projects.models import Project
from tests.browser.reviewing import saved
from tests.labeling.factories import make_dataset, make_project, make_run

CLICK_TWICE = "arguments[0].click(); arguments[0].click()"


def _reviewing(staff, texts=6):
    project = make_project(staff)
    make_run(make_dataset(project, [f"Text number {n}" for n in range(texts)]))
    return project


def _item(reader):
    """The item on the screen, waited for."""
    return reader.until(lambda: reader.all("#screen [name=item]"))[0].get_dom_attribute("value")


def test_a_double_click_makes_one_project(reader, staff):
    reader.open("/projects/new")
    reader.fill("#id_name", "Once")
    reader.fill("#id_classes", "a\nb")
    reader.chrome.execute_script(CLICK_TWICE, reader.find("#form .button-primary"))
    reader.until(lambda: "/p/once" in reader.path)
    assert Project.objects.count() == 1


def test_a_double_click_makes_one_export(reader, staff):
    project = _reviewing(staff)
    reader.open(f"/p/{project.slug}/export")
    reader.chrome.execute_script(CLICK_TWICE, reader.find("#make .button-primary"))
    reader.until(lambda: reader.path.endswith("/export/1"))
    assert Export.objects.count() == 1


def test_back_after_a_decision(reader, staff):
    """The page before shows what is next now, not the decided text."""
    project = _reviewing(staff)
    reader.open(f"/p/{project.slug}/label")
    item = _item(reader)
    reader.key("1")
    reader.until(lambda: _item(reader) != item)
    saved(reader)
    following = _item(reader)
    reader.open(f"/p/{project.slug}/")
    reader.chrome.back()
    reader.until(lambda: reader.path.endswith("/label"))
    assert _item(reader) == following
