"""A person finds a model on the hub and adds it with one click."""

import pytest

from annotator_core.demo import specialist_folders
from annotator_core.fakes.hub import FakeHub, HubContent, find_commit
from labeling.specialists.models import Specialist
from tests.browser.person import PHONE
from tests.labeling.factories import make_project

pytestmark = pytest.mark.slow


@pytest.fixture
def hub(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    with FakeHub(HubContent({"acme/sentiment": specialist_folders()["courier"]})) as server:
        settings.HF_ENDPOINT = server.url
        yield server


def test_a_model_is_found_and_added(person, staff, hub):
    make_project(staff, slug="found", guideline="How customers feel about their parcels.")
    person.open("/p/found/models")
    person.press("Find models on the hub")
    person.press("Search")
    person.read("there are no rows", patience_s=60)
    assert person.flaws() == []
    person.look(PHONE)
    assert person.overflow() == 0
    person.look()
    person.press("Add")
    person.read("What each label of the model means in this project", patience_s=60)
    assert Specialist.objects.get().revision == find_commit(specialist_folders()["courier"])
