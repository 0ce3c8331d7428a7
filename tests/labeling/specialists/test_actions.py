import shutil

import pytest

from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
from labeling.pipeline.work import do_one
from labeling.projects.actions import create_class
from labeling.runs.queries import votable_versions
from labeling.specialists.actions import add_specialist, archive_specialist, confirm_version, retry_fetch, save_map
from labeling.specialists.models import Source, SpecialistState, SpecialistVersion
from labeling.specialists.queries import newest_trial, newest_version
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import add_fake, make_pool, own_targets, work_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


def mapped(project, folder, targets=None, **settings):
    specialist = add_fake(project, folder, **settings)
    save_map(specialist=specialist, targets=targets or own_targets(project), max_length=64, are_holes_confirmed=True)
    work_off()
    return newest_version(specialist)


def test_files_are_copied_into_the_store_under_their_hash(project, tmp_path, settings):
    specialist = add_fake(project, tmp_path / "model")
    shutil.rmtree(tmp_path / "model")
    assert specialist.state == SpecialistState.MAPPING
    assert specialist.model_labels == ["negative", "neutral", "positive"]
    from labeling.specialists.engine import store_folder_of

    assert store_folder_of(specialist.weights_hash).is_dir()


@pytest.mark.parametrize("location", ["../../etc", "a b", "owner/name/more", "file:///etc", "http://x/y", ""])
def test_s04_a_hub_id_is_owner_slash_name_and_nothing_else(project, location):
    with pytest.raises(ActionError):
        add_specialist(project=project, source=Source.HUB, location=location)


def test_s17_managers_name_folders_below_the_allowed_roots_only(project, tmp_path, settings):
    settings.MODEL_FOLDERS = [str(tmp_path / "data")]
    for name in ("data", "data-evil"):
        (tmp_path / name / "model").mkdir(parents=True)
    (tmp_path / "data" / "link").symlink_to(tmp_path / "data-evil" / "model")
    manager = make_user()
    add_specialist(project=project, source=Source.FOLDER, location=str(tmp_path / "data" / "model"), by=manager)
    for location in ("data-evil/model", "data/../data-evil/model", "data/link"):
        with pytest.raises(ActionError, match="taken from"):
            add_specialist(project=project, source=Source.FOLDER, location=str(tmp_path / location), by=manager)


def test_a_folder_without_safetensors_says_so_and_can_be_tried_again(project, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["BertForSequenceClassification"], "model_type": "bert"}')
    (folder / "pytest_model.bin").write_bytes(b"pickle")
    specialist = add_specialist(project=project, source=Source.FOLDER, location=str(folder))
    work_off()
    specialist.refresh_from_db()
    assert specialist.state == SpecialistState.FAILED
    assert "safetensors" in specialist.error
    shutil.rmtree(folder)
    write_fake_specialist(folder, FakeSettings(labels=("negative", "neutral", "positive")))
    retry_fetch(specialist=specialist)
    work_off()
    specialist.refresh_from_db()
    assert specialist.state == SpecialistState.MAPPING


def test_names_are_unique_in_a_project(project, tmp_path):
    add_fake(project, tmp_path / "model")
    with pytest.raises(ActionError, match="already"):
        add_fake(project, tmp_path / "model")


def test_a_map_with_a_hole_is_refused_until_it_is_confirmed(project, tmp_path):
    specialist = add_fake(project, tmp_path / "model")
    targets = [own_targets(project)[0], own_targets(project)[0], own_targets(project)[2]]
    with pytest.raises(ActionError, match="neutral"):
        save_map(specialist=specialist, targets=targets, max_length=64, are_holes_confirmed=False)
    assert not SpecialistVersion.objects.exists()
    save_map(specialist=specialist, targets=targets, max_length=64, are_holes_confirmed=True)
    assert SpecialistVersion.objects.get().are_holes_confirmed


def test_a_map_that_says_nothing_is_refused_even_when_confirmed(project, tmp_path):
    specialist = add_fake(project, tmp_path / "model")
    with pytest.raises(ActionError):
        save_map(specialist=specialist, targets=[None, None, None], max_length=64, are_holes_confirmed=True)


def test_a_map_to_another_projects_class_is_refused(project, tmp_path):
    specialist = add_fake(project, tmp_path / "model")
    foreign = own_targets(make_project(make_user()))
    with pytest.raises(ActionError):
        save_map(specialist=specialist, targets=foreign, max_length=64, are_holes_confirmed=True)


def test_the_trial_shows_shares_and_accuracy(project, tmp_path):
    dataset = make_dataset(project, [f"a text {i}" for i in range(300)])
    dataset.samples.update(gold="neutral")
    version = mapped(project, tmp_path / "model", noise=0.0)
    trial = newest_trial(version)
    assert (trial.is_done, trial.row_count, trial.abstained, trial.gold_rows) == (True, 100, 0, 100)
    assert trial.gold_accuracy == pytest.approx(trial.shares[str(own_targets(project)[1])])
    assert sum(trial.shares.values()) == pytest.approx(1)


def test_a_clearly_better_reading_of_the_labels_forbids_the_vote(project, tmp_path):
    dataset = make_dataset(project, [f"a text {i}" for i in range(300)])
    names = ("negative", "neutral", "positive")
    from annotator_core.fakes.specialist import find_answer

    for sample in dataset.samples.all():
        sample.gold = names[find_answer(sample.text, FakeSettings(labels=names))]
        sample.save()
    swapped = own_targets(project)[::-1]
    version = mapped(project, tmp_path / "model", swapped, noise=0.05)
    trial = newest_trial(version)
    assert trial.better_targets == own_targets(project)
    with pytest.raises(ActionError, match="clearly better"):
        confirm_version(version=version, by=None)


def test_a_version_that_crashes_in_its_trial_may_not_vote(project, tmp_path):
    make_dataset(project, ["a", "b"])
    specialist = add_fake(project, tmp_path / "model", crash_from_call=1)
    save_map(specialist=specialist, targets=own_targets(project), max_length=64, are_holes_confirmed=False)
    version = newest_version(specialist)
    from labeling.jobs.models import Chunk

    for _try in range(3):
        Chunk.objects.update(not_before=None)
        work_off()
    assert newest_trial(version).error
    with pytest.raises(ActionError, match="trial failed"):
        confirm_version(version=version, by=None)


def test_only_confirmed_versions_for_the_classes_of_today_may_vote(project, tmp_path):
    versions = make_pool(project, tmp_path, count=2)
    assert votable_versions(project) == versions
    archive_specialist(specialist=versions[0].specialist)
    assert votable_versions(project) == versions[1:]
    create_class(project=project, name="mixed")
    assert votable_versions(project) == []


def test_the_web_never_runs_a_model(project, tmp_path):
    specialist = add_fake(project, tmp_path / "model")
    save_map(specialist=specialist, targets=own_targets(project), max_length=64, are_holes_confirmed=False)
    trial = newest_trial(newest_version(specialist))
    while do_one(["io", "verify"], "light"):
        pass
    trial.refresh_from_db()
    assert not trial.is_done
