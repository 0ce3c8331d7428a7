"""`manage.py refine`, and what the doctor says of the model store."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from annotator_core.refine import table
from labeling.overview.checks import doctor_checks
from labeling.pipeline.room import Room
from labeling.refinement.models import RefinementRound, RoundState, Trigger
from labeling.runs.actions import cancel_run
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool
from tests.labeling.refinement.learning import PAPER, finish_round, learnable_run, start, train_now


@pytest.fixture
def project():
    return make_project(make_user(), slug="shop")


@pytest.fixture
def heavy(settings):
    settings.SWEEP_S = 0.05
    room = Room(["io", "consensus", "refine"], hands=1)
    yield room
    room.close()


def refine(*arguments):
    out = StringIO()
    call_command("refine", *arguments, stdout=out)
    return out.getvalue()


def crash(request, workplace, **_watch):
    raise RuntimeError("out of luck")


@pytest.mark.django_db
def test_it_starts_a_round_as_train_now_does(project, tmp_path):
    run = learnable_run(project, tmp_path, **PAPER)
    assert refine("shop") == f"Round 1: 2 specialists learn from {run.decided} texts.\n"
    assert RefinementRound.objects.get().trigger == Trigger.COMMAND
    with pytest.raises(CommandError, match="Round 1 is at work"):
        refine("shop", "--run", "1")


@pytest.mark.django_db
def test_it_says_what_is_missing(project, tmp_path):
    with pytest.raises(CommandError, match="There is no project “shoe”"):
        refine("shoe")
    with pytest.raises(CommandError, match="There is no run 7"):
        refine("shop", "--run", "7")
    run = learnable_run(project, tmp_path)
    start(project, make_dataset(project, ["another text"]), make_pool(project, tmp_path, name="more", noise=0.9))
    with pytest.raises(CommandError, match=r"Several runs are active \(1, 2\)"):
        refine("shop")
    cancel_run(run=run)
    cancel_run(run=run.project.runs.get(number=2))
    with pytest.raises(CommandError, match="No run of this project is active"):
        refine("shop")


@pytest.mark.django_db(transaction=True)
def test_it_waits_for_the_end_and_tells_it(project, tmp_path, heavy):
    learnable_run(project, tmp_path, **PAPER)
    heavy.open()
    lines = refine("shop", "--wait").splitlines()
    assert lines[-4:] == ["Done", "  fake-0: Promoted", "  fake-1: Promoted", "2 specialists were promoted."]


@pytest.mark.django_db(transaction=True)
def test_a_round_that_fails_ends_it_with_its_error(project, tmp_path, heavy, monkeypatch):
    learnable_run(project, tmp_path, **PAPER)
    monkeypatch.setitem(table.TRAINERS, "fake", f"{__name__}.crash")
    heavy.open()
    with pytest.raises(CommandError, match="RuntimeError: out of luck"):
        refine("shop", "--wait")
    assert RefinementRound.objects.get().state == RoundState.FAILED


@pytest.mark.django_db
def test_the_doctor_tells_size_versions_and_what_pruning_frees(project, tmp_path, settings):
    settings.MODEL_STORE = str(tmp_path / "store")
    run = learnable_run(project, tmp_path, **PAPER)
    said = {check.name: check for check in doctor_checks()}
    assert (said["Versions"].state, said["Versions"].text) == ("good", "2 versions have their weights.")
    assert said["Model store"].text.startswith("0.0 GB in ")
    finish_round(train_now(run))
    cancel_run(run=run)
    text = {check.name: check for check in doctor_checks()}["Versions"].text
    assert text == "4 versions have their weights."
