"""Pruning: who keeps the weights, and what is left of the others."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from labeling.datasets.models import Dataset
from labeling.refinement.actions import prune_versions
from labeling.refinement.actions.prune import Pruned, _remove, champion_ids, store_size
from labeling.refinement.engine.training import workplace_of_round
from labeling.refinement.models import ChallengerState
from labeling.runs.actions import cancel_run
from labeling.runs.models import PoolGeneration, PoolMember, Run
from labeling.runs.queries import votable_versions
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import GeneratedScript, ScriptKind, SpecialistVersion
from tests.labeling.factories import make_project, make_user
from tests.labeling.refinement.learning import decide_most, finish_round, learnable_run, make_checked, train_now
from tests.labeling.refinement.made_rounds import (
    make_challenger,
    make_pooled_run,
    make_training_round,
    make_versions,
)
from tests.labeling.specialists.scripts import make_script

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    return tmp_path / "store"


@pytest.fixture
def project():
    return make_project(make_user())


def with_weights(project):
    """(specialist, number) of every version whose folder is there."""
    versions = SpecialistVersion.objects.filter(specialist__project=project).order_by("specialist_id", "number")
    there = [version for version in versions if store_folder_of(version.weights_hash).is_dir()]
    assert there == [version for version in versions if version.pruned_at is None]
    return [(version.specialist.name, version.number) for version in there]


def slow_learners(project, folder):
    """A run that has something to decide after a promotion, too."""
    texts = [f"text number {number}" for number in range(300)]
    return learnable_run(project, folder, texts=texts, learning=0.8, left=60)


def test_champions_and_their_parents_stay_and_the_others_keep_their_manifest(project, tmp_path):
    make_checked(project)
    run = slow_learners(project, tmp_path)
    for left in (5, 1):
        finish_round(train_now(run))
        decide_most(run, left=left)
    run.refresh_from_db()
    assert run.generation == 2
    assert with_weights(project) == [(f"fake-{one}", number) for one in (0, 1) for number in (2, 3)]
    first = SpecialistVersion.objects.filter(specialist__project=project, number=1)
    assert [version.may_vote for version in first] == [False, False]


def test_what_the_round_left_behind_goes(project, tmp_path, store):
    make_checked(project)
    round_ = train_now(learnable_run(project, tmp_path))
    prune_versions()
    finish_round(round_)
    assert not workplace_of_round(round_.pk).exists()
    assert sorted(path.name[:1] for path in store.iterdir() if not path.is_dir() or path.name.startswith(".gone")) == []


def test_a_dry_run_says_what_it_would_free_and_removes_nothing(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path, spoils=True)
    finish_round(train_now(run))
    run.refresh_from_db()
    decide_most(run, left=1)
    second = train_now(run)
    before = with_weights(project)
    would = prune_versions(dry_run=True)
    assert (would.count, with_weights(project)) == (2, before)
    size = store_size()
    assert prune_versions(project=project) == would
    assert size - store_size() == would.bytes > 0
    assert with_weights(project) == [("fake-0", 1), ("fake-1", 1)]
    assert prune_versions() == type(would)(0, 0)
    second.refresh_from_db()
    assert second.is_at_work


def test_equal_weights_of_another_champion_keep_them(project, tmp_path):
    """The fakes of both projects are the same to the byte; one project has gone two rounds further."""
    make_checked(project)
    run = slow_learners(project, tmp_path)
    twin = slow_learners(make_project(make_user()), tmp_path / "twin")
    for left in (5, 1):
        finish_round(train_now(run))
        decide_most(run, left=left)
    assert with_weights(project) == [(f"fake-{one}", number) for one in (0, 1) for number in (1, 2, 3)]
    cancel_run(run=twin)
    twin.project.specialists.update(weights_hash="")
    SpecialistVersion.objects.filter(specialist__project=twin.project).update(confirmed_at=None)
    assert prune_versions().count == 4
    assert with_weights(project) == [(f"fake-{one}", number) for one in (0, 1) for number in (2, 3)]


def test_a_removal_that_was_killed_is_ended_by_the_next(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path)
    finish_round(train_now(run))
    version = SpecialistVersion.objects.filter(specialist__project=project, number=1).first()
    version.pruned_at = version.created_at
    version.save()
    SpecialistVersion.objects.filter(parent=version).update(parent=None)
    assert store_folder_of(version.weights_hash).is_dir()
    assert prune_versions().count == 0
    assert not store_folder_of(version.weights_hash).exists()
    assert Path(settings.MODEL_STORE).is_dir()


def test_what_a_script_trained_goes_when_nobody_took_it_up_in_a_week(project, store):
    version, taken = make_versions(project, count=2)
    week_ago = timezone.now() - timedelta(days=7, minutes=1)
    for name, fields, is_old in [
        ("old", {}, True), ("fresh", {}, False), ("taken", {"voter": taken.specialist}, True),
        ("shared", {}, True), ("shared", {}, False), (taken.weights_hash, {}, True), ("", {}, True),
    ]:  # fmt: skip
        script = make_script(version, kind=ScriptKind.FINE_TUNE, comparison={"weights_hash": name}, **fields)
        if is_old:
            GeneratedScript.objects.filter(pk=script.pk).update(created_at=week_ago)
        (store / (name or "none")).mkdir(parents=True, exist_ok=True)
    (store / "old" / "config.json").write_bytes(b"12345")
    assert prune_versions(dry_run=True) == Pruned(0, 5)
    assert prune_versions(project=make_project(make_user())) == Pruned(0, 0)
    assert prune_versions(project=project) == Pruned(0, 5)
    assert {one.name for one in store.iterdir()} == {"fresh", "taken", "shared", taken.weights_hash, "none"}


def test_a_version_that_is_made_while_others_are_looked_for_stays(project):
    versions = make_versions(project)
    round_ = make_training_round(make_pooled_run(project, versions), versions[1:])
    made = []

    def judge_meanwhile(execute, sql, *given):
        found = execute(sql, *given)
        if 'FROM "specialists_specialist" WHERE NOT' in sql and not made:
            made.append(round_.pk)
            make_challenger(round_, versions[0], ChallengerState.JUDGED, verdict="better")
        return found

    with connection.execute_wrapper(judge_meanwhile):
        assert prune_versions(project=project).count == 0
    assert round_.challengers.get(state=ChallengerState.JUDGED).version.pruned_at is None


def test_what_two_free_at_once_is_an_error_for_neither(store):
    folders = [workplace_of_round(number) for number in range(60)]
    for folder in folders:
        folder.mkdir(parents=True)
    with ThreadPoolExecutor(4) as threads:
        removed = [threads.submit(_remove, folder) for folder in folders for _twice in range(4)]
    assert [one.result() for one in removed] == [None] * 240
    assert list(store.rglob("*")) == [store / ".rounds"]


def test_the_pools_of_many_active_runs_stay(project):
    versions = make_versions(project, 2)
    SpecialistVersion.objects.update(confirmed_at=None)
    datasets = Dataset.objects.bulk_create(Dataset(project=project, number=n) for n in range(1_100))
    runs = Run.objects.bulk_create(
        Run(project=project, dataset=one, number=one.number, min_agree=1, row_count=1) for one in datasets
    )
    pools = PoolGeneration.objects.bulk_create(PoolGeneration(run=run) for run in runs)
    PoolMember.objects.bulk_create(PoolMember(generation=pool, version=versions[1], position=0) for pool in pools)
    assert champion_ids() == {versions[1].pk}


def test_versions_without_weights_are_not_offered_for_a_run(project):
    versions = make_versions(project, 2)
    SpecialistVersion.objects.filter(pk=versions[0].pk).update(pruned_at=timezone.now())
    assert votable_versions(project) == versions[1:]
