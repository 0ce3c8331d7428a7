"""Fetching from a hub over real HTTP, with one of the demo's real transformers."""

import pytest

from annotator_core.demo import specialist_folders
from annotator_core.fakes.hub import FakeHub, HubContent, find_commit
from labeling.jobs.models import Chunk
from labeling.specialists.actions import add_specialist, confirm_version, save_map
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import Source, SpecialistState
from labeling.specialists.queries import newest_trial, newest_version
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import own_targets, work_off

pytestmark = pytest.mark.django_db
FOLDER = next(iter(specialist_folders().values()))


@pytest.fixture
def hub(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    with FakeHub(HubContent({"acme/sentiment": FOLDER}, gated=frozenset({"acme/gated"}))) as hub:
        settings.HF_ENDPOINT = hub.url
        yield hub


def fetch(location, **given):
    project = make_project(make_user())
    specialist = add_specialist(project=project, source=Source.HUB, location=location, **given)
    for _try in range(3):
        Chunk.objects.update(not_before=None)
        work_off()
    specialist.refresh_from_db()
    return specialist


def test_a_hub_model_is_fetched_pinned_mapped_tried_and_may_vote(hub):
    specialist = fetch("acme/sentiment")
    assert (specialist.state, specialist.revision) == (SpecialistState.MAPPING, find_commit(FOLDER))
    assert (store_folder_of(specialist.weights_hash) / "model.safetensors").is_file()
    make_dataset(specialist.project, ["I love it", "It never came, awful", "Where is my parcel?"])
    save_map(specialist=specialist, targets=own_targets(specialist.project), max_length=64, are_holes_confirmed=False)
    work_off()
    version = newest_version(specialist)
    trial = newest_trial(version)
    assert (trial.error, trial.row_count, trial.abstained) == ("", 3, 0)
    confirm_version(version=version, by=None)


def test_a_cut_download_is_resumed_by_the_next_try(hub):
    hub.content.cut_after["model.safetensors"] = 100_000
    specialist = fetch("acme/sentiment")
    assert (specialist.state, specialist.error) == (SpecialistState.MAPPING, "")


@pytest.mark.parametrize(
    ("location", "given", "word"),
    [
        ("acme/unknown", {}, "acme/unknown"),
        ("acme/gated", {}, "acme/gated"),
        ("acme/sentiment", {"revision": "no"}, "no"),
    ],
)
def test_what_the_hub_does_not_give_is_said(hub, location, given, word):
    specialist = fetch(location, **given)
    assert specialist.state == SpecialistState.FAILED
    assert word in specialist.error


def test_a_hub_that_does_not_answer_is_said(settings, free_port):
    settings.HF_ENDPOINT = f"http://127.0.0.1:{free_port}"
    specialist = fetch("acme/sentiment")
    assert specialist.state == SpecialistState.FAILED
    assert settings.HF_ENDPOINT in specialist.error


def test_a_model_over_the_limit_is_refused(hub, settings):
    settings.MODEL_MAX_BYTES = 1000
    specialist = fetch("acme/sentiment")
    assert specialist.state == SpecialistState.FAILED
    assert not store_folder_of("x").parent.exists() or not list(store_folder_of("x").parent.glob("[0-9a-f]*"))


def test_s11_nothing_but_safe_files_reaches_the_store(hub, tmp_path):
    import shutil

    folder = tmp_path / "mixed"
    shutil.copytree(FOLDER, folder)
    for name in ("pytorch_model.bin", "modeling_evil.py", "training_args.bin"):
        (folder / name).write_bytes(b"import os")
    hub.content.models = {"acme/mixed": folder}
    specialist = fetch("acme/mixed")
    assert specialist.state == SpecialistState.MAPPING
    names = {path.suffix for path in store_folder_of(specialist.weights_hash).iterdir()}
    assert names <= {".json", ".txt", ".safetensors", ".md"}
