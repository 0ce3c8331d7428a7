"""S06, S07, S08, S09, S14: text from people, files and models stays text, wherever it is shown."""

import csv
import io
from urllib.parse import quote

import pytest
from selenium.webdriver.common.keys import Keys

from labeling.datasets.models import RefusedRow, Sample
from labeling.labels.models import ReviewItem, VerifierAnswer
from labeling.projects.models import LabelClass, Project
from labeling.review.models import Return
from labeling.specialists.models import Specialist
from labeling.web.csp import forget_violations, recent_violations
from tests.browser.hostile import BREAKER, FOUND, IMAGE, PAYLOADS, say_everywhere
from tests.browser.lived_in import Words, live_in, pages_of
from tests.labeling.factories import make_user
from tests.labeling.pool import work_off


def _lines(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _table():
    """Payloads in texts, other cells, column names, gold labels, and in rows that are refused."""
    header = ["order_id", "text", f"{IMAGE} cell", f"gold {BREAKER}"]
    # A class name may hold no sign that turns the direction of reading.
    golds = ["" if "\u202e" in payload else payload for payload in PAYLOADS]
    both = list(zip(PAYLOADS, golds, strict=True))
    rows = [[f"id {n} {payload}", payload, payload, gold] for n, (payload, gold) in enumerate(both)]
    twice = [[f"id 0 {PAYLOADS[0]}", f"other {payload}", payload, gold] for payload, gold in both]
    return _lines([header, *rows, *twice, ["E-1", "", BREAKER, IMAGE]])


@pytest.fixture
def staff(transactional_db):
    """The operator has a hostile name too."""
    return make_user(IMAGE, is_staff=True, is_superuser=True)


@pytest.fixture
def project(staff, tmp_path):
    classes = [payload[:90] for payload in PAYLOADS[:8]]
    words = Words(
        project=f"{BREAKER} {PAYLOADS[25]}"[:120],
        guideline="\n\n".join(PAYLOADS),
        classes=tuple(classes),
        filename=f"{IMAGE}.csv",
        labels=tuple(classes),
        member=PAYLOADS[16],
        gold=f"gold {BREAKER}",
    )
    found = live_in(staff, _table(), tmp_path, words)
    for specialist, payload in zip(Specialist.objects.order_by("pk"), PAYLOADS[14:], strict=False):
        Specialist.objects.filter(pk=specialist.pk).update(name=f"{payload}"[:120])
    say_everywhere(found, staff)
    return found


def _harm(reader):
    """Elements that came out of a payload. A dialog would fail this call by itself."""
    return reader.chrome.execute_script(FOUND)


@pytest.mark.slow
@pytest.mark.timeout(300)  # every page of the site, one after the other
def test_s06_no_page_runs_what_was_uploaded(reader, project):
    assert len(PAYLOADS) >= 25
    assert RefusedRow.objects.count() >= len(PAYLOADS)
    harm = {}
    for paths in pages_of(project).values():
        for path in paths:
            reader.open(path)
            found = _harm(reader)
            harm |= {path: found} if found else {}
    errors = [message for message in reader.errors() if "410" not in message]
    assert (harm, errors) == ({}, [])


def test_s06_texts_are_shown_as_they_are(reader, project):
    shown = []
    path = f"/p/{project.slug}/samples"
    while path:
        reader.open(path)
        shown += [one.get_property("textContent") for one in reader.all("#list .sample-line")]
        path = next((one.get_dom_attribute("href") for one in reader.all("#list [rel=next]")), "")
        path = path and f"/p/{project.slug}/samples{path}"
    samples = Sample.objects.filter(dataset__project=project)
    assert shown == list(samples.order_by("position").values_list("text", flat=True))
    assert set(PAYLOADS) <= set(shown)


def test_s06_deciding_and_undoing_show_only_text(reader, project):
    reader.open(f"/p/{project.slug}/label")
    for key in "1u2g":
        reader.key(key)
        reader.find("#screen .review-last")
        assert _harm(reader) == []
    reader.key("?")
    reader.find("#keys")
    assert _harm(reader) == []


def _texts(reader, css):
    return [one.get_property("textContent") for one in reader.all(css)]


def test_s06_what_people_remark_is_shown_as_they_wrote_it(reader, project):
    """Comments, notes and reasons on a sample's page; no payload is lost, and none has become anything else."""
    decided = ReviewItem.objects.filter(project=project, state="decided").earliest("id")
    reader.open(f"/p/{project.slug}/samples/{decided.sample_id}")
    assert _harm(reader) == []
    said = _texts(reader, "#history .said")
    assert [said.count(payload) for payload in PAYLOADS] == [3] * len(PAYLOADS)


def test_s06_the_desk_shows_only_text(reader, project):
    reader.open(f"/p/{project.slug}/adjudicate")
    reader.read(PAYLOADS[0])
    assert _harm(reader) == []
    for key in "v?":
        reader.key(key)
        assert _harm(reader) == []


def test_s06_votes_reasons_and_returns_on_the_review_screen_are_text(reader, project, staff):
    verified = Project.objects.get(name="Verified")
    answered = VerifierAnswer.objects.filter(run__project=verified)
    verified.items.filter(sample__answers__in=answered).update(priority=-1)  # the first ones of the queue
    for one in (project, verified):
        reader.open(f"/p/{one.slug}/label")
        reader.find("#screen .card")
        assert _harm(reader) == []
        reader.key("v")
        assert _harm(reader) == []
    reasons = " ".join(_texts(reader, "#screen .votes-reason"))
    assert [payload for payload in PAYLOADS if payload not in reasons] == []
    assert Return.objects.filter(to=staff, reason__startswith=PAYLOADS[0]).count() == 1


def test_s06_the_triage_grid_shows_only_text(reader, project):
    ReviewItem.objects.filter(project=project, reason="audit").update(state="withdrawn")
    shown = []
    for one in project.classes.all():
        reader.open(f"/p/{project.slug}/label/triage?label_class={one.pk}")
        shown += _texts(reader, ".tile-label .tile-text")
        assert _harm(reader) == []
    reader.open(f"/p/{project.slug}/label/triage")
    for key in ("?", Keys.ESCAPE, "g", Keys.ENTER):
        reader.key(key)
        assert _harm(reader) == []
    reader.find(".triage-last")
    assert _harm(reader) == []
    assert any("pwned" in text for text in shown)


def test_s09_stored_keys_that_no_form_would_take_are_harmless(reader, project):
    for page in ("/account/keys", f"/p/{project.slug}/label", f"/p/{project.slug}/adjudicate"):
        reader.open(page)
        assert _harm(reader) == []


def test_s14_a_guideline_is_text_and_links(reader, project):
    reader.open(f"/p/{project.slug}/label")
    reader.key("g")
    reader.read("click")
    assert _harm(reader) == []
    assert reader.all(".prose svg, .prose math, .prose img, .prose iframe, .prose object, .prose form") == []


def test_s07_classes_made_from_a_file(reader, project):
    upload = project.uploads.filter(state="preview").get()
    reader.open(f"/p/{project.slug}/data/uploads/{upload.pk}")
    reader.choose("#id_text_column", "text")
    reader.choose("#id_gold_column", project.datasets.get().columns[3])
    reader.find("[name=gold_use][value=verified]").click()
    reader.find("#id_is_creating_classes").click()
    assert _harm(reader) == []
    reader.press("Import")
    reader.until(lambda: upload.__class__.objects.get(pk=upload.pk).state == "importing")
    work_off()
    reader.read("Rows taken")
    assert LabelClass.objects.filter(project=project).count() > 8
    for page in ("settings", "label", "samples", "export", "models"):
        reader.open(f"/p/{project.slug}/{page}")
        assert _harm(reader) == []


def test_s08_no_address_is_echoed_as_html(reader, project):
    upload = project.uploads.filter(state="preview").get()
    base = f"/p/{project.slug}"
    for payload in PAYLOADS[:25]:
        value = quote(payload)
        for path in (
            f"{base}/data/uploads/{upload.pk}?format=csv&encoding={value}&delimiter={value}&goal={value}",
            f"{base}/samples?text={value}&dataset={value}&state={value}",
            f"{base}/data?goal={value}",
        ):
            reader.open(path)
            assert _harm(reader) == [], path
    reader.errors()


def test_s08_the_preview_of_classes(reader, project):
    reader.open("/projects/new")
    lines = "\n".join(payload.replace("|", " ")[:90] for payload in PAYLOADS if "\u202e" not in payload)
    reader.chrome.execute_script(
        "const field = document.querySelector('#id_classes'); field.value = arguments[0];"
        "field.dispatchEvent(new InputEvent('input', {bubbles: true}))",
        lines,
    )
    reader.until(lambda: len(reader.all("#class-preview .tag")) > 20)
    assert _harm(reader) == []


def test_these_tests_would_notice(reader, staff):
    """The control: the same payload put into the page as HTML is found, stopped and reported."""
    reader.open("/")
    reader.chrome.execute_script("document.body.insertAdjacentHTML('beforeend', arguments[0])", IMAGE)
    assert len(_harm(reader)) == 1
    reader.until(recent_violations)
    assert reader.errors()
    forget_violations()
