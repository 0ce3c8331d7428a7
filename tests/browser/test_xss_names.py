"""S06: the whole corpus as names of people, files, data sets and classes: refused, or shown as text."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.accounts.actions import create_user
from labeling.accounts.models import User
from labeling.datasets.models import Dataset, Upload
from labeling.labels.models import Escalation, ItemState, Lease, ReviewItem, Verdict
from labeling.projects.actions import create_class
from labeling.projects.models import Role
from labeling.web.errors import ActionError
from tests.browser.hostile import FOUND, PAYLOADS
from tests.labeling.datasets.imports import receive
from tests.labeling.factories import add_member, make_dataset, make_project, make_run

TURNING = "\u202e"
MISSING = """
const said = document.documentElement.textContent;
return arguments[0].filter((one) => !said.includes(one));
"""
# With a sign behind them, so that a class of that name is not taken for a person.
PEOPLE = [f"{payload}!" for payload in PAYLOADS]
DATASETS = [f"{payload}?" for payload in PAYLOADS]
# A file's name is what stands behind its last folder, without signs that are not printed.
FILE_NAMES = ["".join(filter(str.isprintable, re.split(r"[/\\]", f"{payload}.csv")[-1])) for payload in PAYLOADS]


def refused(make):
    """The payloads that are refused as a name."""
    found = []
    for payload in PAYLOADS:
        try:
            make(payload)
        except ActionError:
            found.append(payload)
    return found


@pytest.fixture
def project(staff):
    """Everybody and everything in it is called by a payload; the first text is decided by all, the second disputed."""
    project = make_project(staff, classes=())
    assert refused(lambda name: create_class(project=project, name=name)) == [p for p in PAYLOADS if TURNING in p]
    make_run(make_dataset(project, [f"text {number}" for number in range(len(PAYLOADS) + 4)]))
    for _payload in PAYLOADS[1:]:
        make_dataset(project, ["text"])
    for dataset, name in zip(Dataset.objects.order_by("number"), DATASETS, strict=True):
        Dataset.objects.filter(pk=dataset.pk).update(name=name)
    items = list(ReviewItem.objects.filter(project=project).order_by("id"))
    # No form takes such a name (below); rows from elsewhere may have one.
    for number, name in enumerate(PEOPLE):
        person = User.objects.create(username=name)
        _work(project, person, number, items)
    ReviewItem.objects.filter(pk=items[0].pk).update(state=ItemState.DECIDED)
    ReviewItem.objects.filter(pk=items[1].pk).update(escalation=Escalation.CONFLICT)
    return project


def _work(project, person, number, items):
    add_member(project, person, Role.REVIEWER)
    classes = list(project.classes.all())
    for item in items[:2]:
        given = {"label_class": classes[number % len(classes)], "elapsed_ms": 1_000}
        Verdict.objects.create(item=item, user=person, client_id=uuid4(), **given)
    until = timezone.now() + timedelta(minutes=5)
    Lease.objects.create(item=items[2 + number], user=person, expires_at=until)


def shown(reader, address, payloads):
    """(what a payload became, payloads that the page does not show as they are)."""
    reader.open(address)
    return reader.chrome.execute_script(FOUND), reader.chrome.execute_script(MISSING, payloads)


def test_no_account_has_a_hostile_name(transactional_db):
    assert refused(lambda name: create_user(username=name)) == list(PAYLOADS)
    assert User.objects.count() == 0


def test_s06_names_of_people_and_classes_are_text(reader, project):
    base, classes = f"/p/{project.slug}", [name for name in PAYLOADS if TURNING not in name]
    first = ReviewItem.objects.earliest("id").sample_id
    person = User.objects.get(username=PEOPLE[1])
    pages = {
        "members": PEOPLE,
        "people": PEOPLE,
        "queue": PEOPLE,
        "adjudicate": [*PEOPLE, *classes],
        f"samples/{first}": [*PEOPLE, *classes],
        "samples": [*PEOPLE, *classes, *DATASETS],
        "label": classes,
        "settings": classes,
        "label/triage": [],
        f"people/{person.pk}": [PEOPLE[1]],
        f"samples?annotator={person.pk}": PEOPLE,
    }
    found = {page: shown(reader, f"{base}/{page}", payloads) for page, payloads in pages.items()}
    assert found == {page: ([], []) for page in pages}


def test_s06_a_class_is_found_by_its_hostile_name(reader, project):
    reader.open(f"/p/{project.slug}/adjudicate")
    reader.key("/")
    reader.find("#finder-text")
    names = [one.get_property("textContent") for one in reader.all("#finder-list .finder-name")]
    assert sorted(names) == sorted(project.classes.values_list("name", flat=True))
    assert reader.chrome.execute_script(FOUND) == []


def test_s06_names_of_files_and_data_sets_are_text(reader, project):
    uploads = [receive(project, f"id,text\n1,{number}\n", f"{one}.csv") for number, one in enumerate(PAYLOADS)]
    assert [upload.filename for upload in uploads] == FILE_NAMES
    assert shown(reader, f"/p/{project.slug}/data", [*FILE_NAMES, *DATASETS]) == ([], [])
    for upload, payload in zip(uploads, PAYLOADS, strict=True):
        Upload.objects.filter(pk=upload.pk).update(filename=f"{payload}.csv")
    assert shown(reader, f"/p/{project.slug}/data", [f"{payload}.csv" for payload in PAYLOADS]) == ([], [])
    pages = {"runs/new": [], "export": DATASETS}
    pages |= {f"data/uploads/{uploads[place].pk}": [f"{PAYLOADS[place]}.csv"] for place in (1, 14)}
    found = {page: shown(reader, f"/p/{project.slug}/{page}", names) for page, names in pages.items()}
    assert found == {page: ([], []) for page in pages}
