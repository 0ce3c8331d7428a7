"""The main job as a person does it: a file goes in, three real models vote, keys decide, a labeled file comes out."""

import csv
import http.client
import io
import json
from itertools import islice

import pytest
from selenium.webdriver.common.keys import Keys

from annotator_core import demo
from labeling.datasets.models import Dataset, RefusedRow, Sample
from labeling.labels.models import ItemState, Label, ReviewItem, Verdict
from labeling.projects.models import Project
from labeling.review.models import Skip
from labeling.runs.models import Run
from tests.browser.person import PHONE
from tests.browser.reviewing import saved
from tests.labeling.factories import make_dataset, make_project, make_run

HEADER = ["order_id", "channel", "text", "gold"]
OWN_ROWS = [
    ["Ü-1", "Straße", 'Größe paßt nicht, "schön" ist anders; übel!', "negative"],
    ["F-1", "=1+1", '=HYPERLINK("http://x") is what their mail said, and it never worked.', "negative"],
    ["L-1", "app", "First line, all fine.\nSecond line: then it broke.", "neutral"],
]
LABELS = ("negative", "neutral", "positive")


def _feedback(count):
    """Rows of the demo's file, taken evenly so that all classes occur."""
    with demo.feedback_path().open(newline="", encoding="utf-8") as file:
        return list(islice(csv.reader(file), 1, None, 1_600 // count))[:count]


def _write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER, *rows])


@pytest.fixture
def rows():
    """What the file holds; the last row has no text and is refused."""
    return [*_feedback(60), *OWN_ROWS, ["E-1", "app", "", "neutral"]]


def _create_project(person):
    person.open("/")
    person.press("New project")
    person.fill("#id_name", "Shop feedback")
    person.press("Sentiment")
    person.until(lambda: "negative" in person.find("#id_classes").get_property("value"))
    person.press("Create project")
    person.until(lambda: Project.objects.exists())
    return Project.objects.get()


def _import_file(person, project, path):
    person.open(f"/p/{project.slug}/data")
    person.find("[type=file]").send_keys(str(path))
    person.press("Upload")
    person.read("First rows")
    assert "Größe" in person.text() or "wear and tear" in person.text()
    person.choose("#id_text_column", "text")
    person.choose("#id_id_column", "order_id")
    person.choose("#id_gold_column", "gold")
    person.press("Import")
    person.read("Imported")
    person.read("Rows refused\n1")
    person.press("See the refused rows, each with its line and reason")
    person.read(RefusedRow.objects.get().reason)


def _add_specialist(person, project, name, folder):
    person.open(f"/p/{project.slug}/models")
    person.press("From a folder" if project.specialists.exists() else "Add from a folder")
    person.fill("#id_location", str(folder))
    person.fill("#id_name", name)
    person.press("Fetch files")
    person.read("Label map")
    meant = demo.label_maps()[name]
    for field in person.all("select[name^=label_]"):
        label = person.text(f"label[for={field.get_dom_attribute('id')}]")
        person.choose(f"#{field.get_dom_attribute('id')}", meant[label])
    person.press("Save and try")
    person.press("Let it vote")
    person.read("This version may vote")


def _watch_run(person, project):
    """Start a run and see it end on a page that was never loaded again."""
    person.open(f"/p/{project.slug}/runs")
    person.press("Plan a run")
    person.press("Start run")
    person.until(lambda: person.path.endswith("/runs/1"))
    person.chrome.execute_script("window.isSamePage = true")
    person.read("In review")
    person.read("All votes are in")
    assert person.chrome.execute_script("return window.isSamePage")
    return Run.objects.get()


def _shown(person):
    """The id of the item on the screen."""
    items = person.until(lambda: [one.get_dom_attribute("value") for one in person.all("#screen [name=item]")])
    return int(items[0])


def _key_to_next(person, key):
    """Press a key and wait for another text; returns the item that was left."""
    item = _shown(person)
    person.key(key)
    person.until(lambda: _shown(person) != item)
    return item


def _decide_by_keys(person, project):
    """Three decisions, one of them undone and made again, and one skip; returns {item: class name}."""
    person.open(f"/p/{project.slug}/label")
    said = {_key_to_next(person, str(LABELS.index(name) + 1)): name for name in LABELS}
    saved(person)
    third = list(said)[-1]
    person.key("u")
    person.until(lambda: _shown(person) == third)
    saved(person)
    assert not Verdict.objects.filter(item=third, is_current=True, is_undo=False).exists()
    assert _key_to_next(person, "2") == third
    skipped = _key_to_next(person, "s")
    saved(person)
    assert Skip.objects.get().item_id == skipped
    return said | {third: "neutral"}


def _check_decisions(run, said):
    for item, name in said.items():
        verdict = Verdict.objects.get(item=item, is_current=True)
        assert (verdict.label_class.name, verdict.is_undo, verdict.is_stale) == (name, False, False)
        assert verdict.elapsed_ms > 0
    run.refresh_from_db()
    states = ReviewItem.objects.filter(run=run)
    assert states.filter(state=ItemState.DECIDED).count() == len(said)
    assert run.decided == Label.objects.filter(source="human", is_current=True).count()
    assert run.to_review == run.hard - run.decided
    assert run.accepted + run.hard == run.row_count


def _download(person, path):
    """A file of the site, with the browser's session."""
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in person.chrome.get_cookies())
    connection = http.client.HTTPConnection(person.address.removeprefix("http://"), timeout=20)
    try:
        connection.request("GET", path, headers={"Cookie": cookies})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read()
    finally:
        connection.close()


def _export(person, project):
    person.open(f"/p/{project.slug}/export")
    person.click("#id_is_raw")
    person.press("Make export")
    person.read("Ready")
    href = person.find("main a[href$='/file']").get_dom_attribute("href")
    return list(csv.DictReader(io.StringIO(_download(person, href).decode("utf-8-sig"), newline="")))


def _check_export(found, rows, said):
    """Every row as it was uploaded, and who decided it."""
    human = {ReviewItem.objects.get(pk=item).sample_id: name for item, name in said.items()}
    samples = list(Sample.objects.order_by("position"))
    assert [[row[name] for name in HEADER] for row in found] == rows[:-1]
    for sample, row in zip(samples, found, strict=True):
        votes = [vote.partition("=") for vote in row["votes"].split("; ")]
        assert sorted(name for name, _eq, _vote in votes) == sorted(f"{name} v1" for name in demo.SPECIALIST_NAMES)
        classes = {vote.partition("@")[0] for _name, _eq, vote in votes}
        if sample.pk in human:
            assert (row["label"], row["label_source"], row["annotators"]) == (human[sample.pk], "human", "ada")
        elif len(classes) == 1:
            assert (row["label"], row["label_source"], row["annotators"]) == (classes.pop(), "consensus", "")
        else:
            assert (row["label"], row["label_source"], row["route"]) == ("", "", "review")


@pytest.mark.slow
def test_c10_the_main_job(typist, rows, tmp_path):
    """From a new project to the labeled file, with the keyboard alone."""
    project = _create_project(typist)
    path = tmp_path / "feedback.csv"
    _write(path, rows)
    _import_file(typist, project, path)
    assert Dataset.objects.get().row_count == len(rows) - 1
    for name, folder in demo.specialist_folders().items():
        _add_specialist(typist, project, name, folder)
    run = _watch_run(typist, project)
    said = _decide_by_keys(typist, project)
    _check_decisions(run, said)
    _check_export(_export(typist, project), rows, said)


def _reviewing(staff, texts=6):
    project = make_project(staff, guideline="# In doubt\n\nneutral")
    dataset = make_dataset(project, [f"Text number {n} with “quotes”" for n in range(texts)])
    return project, make_run(dataset)


def test_review_on_a_phone(reader, staff):
    project, run = _reviewing(staff)
    reader.look(PHONE)
    reader.open(f"/p/{project.slug}/label")
    for position in range(3):
        item = _shown(reader)
        reader.find(f".class-button[data-key='{position + 1}']").click()
        reader.until(lambda item=item: _shown(reader) != item)
        saved(reader)
        assert Verdict.objects.get(item=item).label_class.key == str(position + 1)
    assert reader.overflow() == 0
    low = reader.find(".class-buttons").rect
    assert low["y"] + low["height"] <= PHONE[1], "the buttons stand below the fold"
    run.refresh_from_db()
    assert run.decided == 3


def test_the_last_text_and_back(reader, staff):
    project, _run = _reviewing(staff, texts=1)
    reader.open(f"/p/{project.slug}/label")
    reader.key("1")
    reader.read("All reviewed")
    reader.key(Keys.BACKSPACE)
    assert "Text number 0" in reader.find("#screen .sample-text").text
    saved(reader)
    assert not Label.objects.filter(is_current=True).exists()


def test_a_decision_without_javascript(reader, staff):
    project, run = _reviewing(staff)
    reader.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        reader.open(f"/p/{project.slug}/label")
        item = _shown(reader)
        reader.click(".class-button[data-key='2']")
        reader.until(lambda: _shown(reader) != item)
    finally:
        reader.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert Verdict.objects.get().label_class.name == "neutral"
    run.refresh_from_db()
    assert run.decided == 1


def test_a_key_pressed_twice_decides_once(reader, staff):
    project, run = _reviewing(staff)
    reader.open(f"/p/{project.slug}/label")
    item = _shown(reader)
    reader.chrome.execute_script(
        "for (const one of [1, 2]) document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: '1', code: 'Digit1', bubbles: true, cancelable: true}))"
    )
    reader.until(lambda: _shown(reader) != item)
    saved(reader)
    assert Verdict.objects.count() == 1
    run.refresh_from_db()
    assert (run.decided, run.to_review) == (1, 5)


def test_the_manifest_says_how_the_file_came_to_be(person, staff):
    project, _run = _reviewing(staff)
    assert all(row["label_source"] == "" for row in _export(person, project))
    manifest = json.loads(_download(person, f"/p/{project.slug}/export/1/manifest.json"))
    assert manifest["counts"]["by_source"] == {"none": 6}
