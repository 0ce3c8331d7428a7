"""Rounds through their real jobs, with fakes that learn."""

import json

import pytest

from annotator_core.errors import StoreFull
from annotator_core.refine import table
from labeling.jobs.models import ChunkState, JobState
from labeling.labels.actions.verdicts import undo
from labeling.labels.models import Label, Verdict
from labeling.pipeline.work import do_one
from labeling.refinement.actions import give_up_round, retry_round, start_round
from labeling.refinement.figures import read_figures, read_losses
from labeling.refinement.models import ChallengerState, RoundState, Trigger
from labeling.refinement.queries import round_at_work, round_numbered, rounds_of
from labeling.runs.actions import cancel_run
from labeling.runs.models import GenerationOrigin
from labeling.runs.queries import current_generation, pool_of
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off
from tests.labeling.refinement.learning import (
    PAPER,
    decide_most,
    finish_round,
    learnable_run,
    make_checked,
    train_now,
)

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture
def project():
    return make_project(make_user())


def pool_versions(run):
    return [member.version for member in pool_of(run)]


def states(round_):
    return list(round_.challengers.values_list("state", flat=True))


def test_better_challengers_take_over_in_a_new_generation(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path)
    before = pool_versions(run)
    round_ = finish_round(train_now(run))
    run.refresh_from_db()
    after = pool_versions(run)
    found = (round_.state, round_.generation_before, round_.generation_after, run.generation, run.pool_size)
    assert found == (RoundState.DONE, 0, 1, 1, 0)
    assert [(version.parent, version.number, version.may_vote) for version in after] == [(v, 2, True) for v in before]
    assert current_generation(run).origin == GenerationOrigin.ROUND
    assert states(round_) == [ChallengerState.PROMOTED] * 2
    assert [version.specialist.weights_hash for version in after] == [version.weights_hash for version in after]


def test_a_round_keeps_its_figures_its_curve_and_a_manifest(project, tmp_path):
    make_checked(project)
    round_ = finish_round(train_now(learnable_run(project, tmp_path)))
    challenger = round_.challengers.first()
    figures, curve = read_figures(challenger.figures), read_losses(challenger.losses)
    assert (figures.rows, figures.choose_rows) == (round_.decide_rows, round_.choose_rows)
    assert (challenger.verdict, challenger.p_better >= 0.8, challenger.epoch, challenger.share) == (
        "better",
        True,
        3,
        1,
    )
    assert [(one.epoch, one.share) for one in figures.candidates] == [(1, 1), (2, 1), (3, 1)]
    assert [part.name for part in (*figures.classes, *figures.slices)] == ["negative", "neutral", "positive", "replay"]
    assert (len(curve), curve[-1].step) == (challenger.step_count, challenger.step)
    assert challenger.first_rows_after > challenger.first_rows_before
    stored = json.loads((store_folder_of(challenger.version.weights_hash) / "manifest.json").read_text())
    assert challenger.version.manifest == stored
    assert stored["parent"] == challenger.champion.weights_hash


def test_worse_challengers_are_kept_and_the_champions_stay(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path, spoils=True)
    before = pool_versions(run)
    round_ = finish_round(train_now(run))
    run.refresh_from_db()
    assert (round_.state, states(round_)) == (RoundState.DONE, [ChallengerState.KEPT] * 2)
    assert (pool_versions(run), run.generation, round_.generation_after) == (before, 0, None)
    assert not any(one.version.may_vote for one in round_.challengers.all())


def test_the_papers_policy_promotes_the_last_epoch_whole_in_fp32(project, tmp_path):
    run = learnable_run(project, tmp_path, spoils=True, **PAPER)
    round_ = finish_round(train_now(run))
    run.refresh_from_db()
    assert (round_.choose_rows, round_.decide_rows, round_.replay_rows) == (0, 0, 0)
    found = list(round_.challengers.values_list("state", "precision", "epoch", "share", "verdict"))
    assert found == [(ChallengerState.PROMOTED, "fp32", 3, 1.0, "")] * 2
    assert run.generation == 1
    assert round_.challengers.first().version.manifest["policy"] == "paper"


def test_the_same_seed_gives_the_same_versions_in_another_project(project, tmp_path):
    hashes = []
    for name in ("one", "two"):
        elsewhere = make_project(make_user())
        make_checked(elsewhere)
        round_ = finish_round(train_now(learnable_run(elsewhere, tmp_path / name)))
        hashes.append([one.version.weights_hash for one in round_.challengers.all()])
    assert hashes[0] == hashes[1]


def test_a_second_round_learns_from_new_rows_only_and_remembers_the_first_rows(project, tmp_path):
    make_checked(project)
    run = learnable_run(project, tmp_path)
    first = finish_round(train_now(run))
    with pytest.raises(ActionError, match="Nothing was decided"):
        train_now(run)
    decide_most(run, left=1)
    second = finish_round(train_now(run))
    taken = set(first.samples.filter(role="pool").values_list("sample_id", flat=True))
    assert not taken & set(second.samples.filter(role="pool").values_list("sample_id", flat=True))
    assert (first.samples.filter(role="first").count(), second.samples.filter(role="first").count()) == (200, 0)
    assert all(one.first_rows_before is not None for one in second.challengers.all())
    assert [rounds_of(project).first(), round_numbered(project, 1)] == [second, first]


def test_an_undo_after_the_start_changes_the_label_and_not_the_round(project, tmp_path):
    run = learnable_run(project, tmp_path)
    round_ = train_now(run)
    rows = list(round_.samples.order_by("id").values_list("sample_id", "label_class_id", "role"))
    last = Verdict.objects.latest("id")
    undo(project=project, user_id=last.user_id, client_id="f" * 32)
    assert not Label.objects.filter(verdict=last, is_current=True).exists()
    assert list(round_.samples.order_by("id").values_list("sample_id", "label_class_id", "role")) == rows
    assert finish_round(round_).state == RoundState.WAITING


def test_only_one_round_at_work_and_none_of_a_run_that_is_over(project, tmp_path):
    run = learnable_run(project, tmp_path)
    round_ = train_now(run)
    assert round_at_work(run) == round_
    with pytest.raises(ActionError, match="Round 1 is at work"):
        train_now(run)
    cancel_run(run=run)
    with pytest.raises(ActionError, match="This run is over"):
        train_now(run)
    finish_round(round_)
    assert (round_.state, states(round_)) == (RoundState.CANCELLED, [ChallengerState.FAILED] * 2)


def test_a_full_pool_that_may_not_train_ends_at_once(project, tmp_path):
    """All decided texts are gate rows: nothing can be learned, and the pool counts as taken."""
    run = learnable_run(project, tmp_path)
    round_ = train_now(run)
    give_up_round(round_=round_)
    run.dataset.frame_until = "f" * 32
    run.dataset.save()
    run = decide_most(run, left=1)
    with pytest.raises(ActionError, match="held out"):
        train_now(run)
    ended = finish_round(start_round(run=run, trigger=Trigger.BETA, by=None))
    run.refresh_from_db()
    assert (ended.state, ended.challengers.count(), run.pool_size) == (RoundState.DONE, 0, 0)


def crash(request, workplace, **_watch):
    raise RuntimeError("out of luck")


def fill_disk(request, workplace, **_watch):
    raise StoreFull("The folder epoch-1 has no room left: free some space and try again.")


@pytest.mark.parametrize(
    ("trainer", "message"), [("crash", "RuntimeError: out of luck"), ("fill_disk", "no room left")]
)
def test_a_crash_in_training_leaves_champions_generation_and_queue(project, tmp_path, monkeypatch, trainer, message):
    run = learnable_run(project, tmp_path)
    before = (pool_versions(run), run.generation, run.to_review, SpecialistVersion.objects.count())
    monkeypatch.setitem(table.TRAINERS, "fake", f"{__name__}.{trainer}")
    round_ = finish_round(train_now(run))
    run.refresh_from_db()
    assert (pool_versions(run), run.generation, run.to_review, SpecialistVersion.objects.count()) == before
    assert (round_.state, states(round_)) == (RoundState.FAILED, [ChallengerState.FAILED] * 2)
    assert message in round_.error
    assert message in round_.challengers.first().error


def test_a_failed_round_can_be_tried_again(project, tmp_path, monkeypatch):
    run = learnable_run(project, tmp_path, **PAPER)
    with monkeypatch.context() as broken:
        broken.setitem(table.TRAINERS, "fake", f"{__name__}.crash")
        round_ = finish_round(train_now(run))
    retry_round(round_=round_)
    round_.refresh_from_db()
    assert (round_.state, round_.error) == (RoundState.TRAINING, "")
    assert finish_round(round_).state == RoundState.DONE
    with pytest.raises(ActionError, match="has failed"):
        retry_round(round_=round_)


def test_a_crash_at_the_gate_fails_one_challenger_and_stores_no_version_of_it(project, tmp_path):
    """The weights of its champion are away when it votes."""
    run = learnable_run(project, tmp_path)
    round_ = train_now(run)
    work_off(("io",))
    while do_one(["refine"], "test") and round_.challengers.exclude(state="trained").exists():
        pass
    folder = store_folder_of(pool_versions(run)[1].weights_hash)
    folder.rename(folder.with_name("away"))
    round_ = finish_round(round_)
    assert (round_.state, states(round_)) == (RoundState.FAILED, [ChallengerState.JUDGED, ChallengerState.FAILED])
    folder.with_name("away").rename(folder)
    retry_round(round_=round_)
    assert finish_round(round_).state == RoundState.WAITING


def test_giving_up_keeps_the_champions_and_gives_the_rows_back(project, tmp_path):
    run = learnable_run(project, tmp_path)
    before = pool_versions(run)
    round_ = train_now(run)
    give_up_round(round_=round_)
    run = decide_most(run, left=1)
    again = train_now(run)
    assert again.pool_rows > round_.pool_rows
    assert pool_versions(run) == before
    with pytest.raises(ActionError, match="over already"):
        give_up_round(round_=round_)


def test_giving_up_lets_a_run_that_waited_vote_on_with_the_same_versions(project, tmp_path):
    run = learnable_run(project, tmp_path, **PAPER)
    before = pool_versions(run)
    round_ = train_now(run)
    give_up_round(round_=round_)
    run.refresh_from_db()
    assert (run.generation, pool_versions(run)) == (1, before)
    assert finish_round(round_).state == RoundState.CANCELLED
    assert round_.project.jobs.get(kind="round").state == JobState.CANCELLED


def test_a_worker_that_leaves_gives_its_training_back_and_another_goes_on(project, tmp_path):
    run = learnable_run(project, tmp_path)
    round_ = train_now(run)
    work_off(("io",))
    leaving = iter([False] * 2)
    do_one(["refine"], "test", lambda: next(leaving, True))
    chunk = round_.project.jobs.get(kind="round").chunks.get(idx=0)
    assert (chunk.state, chunk.errors, chunk.lost_leases) == (ChunkState.TODO, 0, 0)
    assert finish_round(round_).state == RoundState.WAITING
