"""Trainings that are stopped or killed and go on: the same bytes as undisturbed ones."""

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from annotator_core.errors import BadModelFolder, StorageError, StoreFull
from annotator_core.refine.attempt import OTHER_TRAINING
from annotator_core.refine.plan import Step, Trained, TrainingRequest, TrainingRow
from annotator_core.refine.trainer import every, train, train_with_checkpoints
from annotator_core.specialists.folder import hash_folder
from tests.annotator_core.refine.disk import small_files_only
from tests.annotator_core.refine.models import make_request, write_model

STEPS = 12


class Stopped(Exception):
    """Raised by a callback."""


@pytest.fixture
def request_(tmp_path: Path) -> TrainingRequest:
    return make_request(write_model(tmp_path / "model"))


def hashes(trained: Trained) -> list[str]:
    return [hash_folder(folder) for folder in trained.folders]


def run(request: TrainingRequest, workplace: Path, *, every_steps: int = 2, **callbacks) -> Trained:
    return train_with_checkpoints(request, workplace, is_due=lambda number: number % every_steps == 0, **callbacks)


def stop_at(wanted: int):
    def stop(step: Step) -> None:
        if step.number == wanted:
            raise Stopped

    return stop


def always_stop() -> None:
    raise Stopped


def test_training_stopped_at_any_step_ends_with_the_same_bytes(request_: TrainingRequest, tmp_path: Path) -> None:
    undisturbed = train(request_, tmp_path / "undisturbed")
    for number in range(1, STEPS + 1):
        with pytest.raises(Stopped):
            run(request_, tmp_path / f"w{number}", on_step=stop_at(number))
        again = run(request_, tmp_path / f"w{number}")
        assert (hashes(again), again.losses) == (hashes(undisturbed), undisturbed.losses)


def test_training_in_slices_of_one_step_ends_with_the_same_bytes(request_: TrainingRequest, tmp_path: Path) -> None:
    undisturbed = train(request_, tmp_path / "undisturbed")
    for _ in range(STEPS):
        with pytest.raises(Stopped):
            run(request_, tmp_path / "w", every_steps=1, on_checkpoint=always_stop)
    steps: list[Step] = []
    again = run(request_, tmp_path / "w", on_step=steps.append)
    assert (steps, hashes(again), again.losses) == ([], hashes(undisturbed), undisturbed.losses)
    assert again.discarded == ""


CHILD = """
import sys, torch
from pathlib import Path
from annotator_core.refine.trainer import train_with_checkpoints
from tests.annotator_core.refine.models import make_request
torch.set_num_threads(1)
folder, workplace = map(Path, sys.argv[1:])
train_with_checkpoints(
    make_request(folder), workplace, is_due=lambda number: True,
    on_step=lambda step: print(step.number, flush=True), on_checkpoint=lambda: print("checkpoint", flush=True),
)
"""


@pytest.mark.slow
def test_training_killed_at_random_moments_ends_with_the_same_bytes(request_: TrainingRequest, tmp_path: Path) -> None:
    undisturbed = train(request_, tmp_path / "undisturbed")
    rng = random.Random(7)
    for _ in range(2):
        command = [sys.executable, "-c", CHILD, str(request_.folder), str(tmp_path / "w")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as child:
            for _ in range(rng.randint(1, 8)):
                child.stdout.readline()
            child.kill()
        assert child.returncode == -9
    assert hashes(run(request_, tmp_path / "w")) == hashes(undisturbed)


def test_half_written_files_are_no_obstacle(request_: TrainingRequest, tmp_path: Path) -> None:
    undisturbed = train(request_, tmp_path / "undisturbed")
    with pytest.raises(Stopped):
        run(request_, tmp_path / "w", on_step=stop_at(3))
    (tmp_path / "w" / ".epoch-1.part").mkdir()
    (tmp_path / "w" / ".epoch-1.part" / "model.safetensors").write_bytes(b"half")
    (tmp_path / "w" / "checkpoint" / ".part").write_bytes(b"half")
    assert hashes(run(request_, tmp_path / "w")) == hashes(undisturbed)


def test_finished_training_returns_at_once_and_keeps_epochs_only(request_: TrainingRequest, tmp_path: Path) -> None:
    first = run(request_, tmp_path / "w")
    again = run(request_, tmp_path / "w", on_step=stop_at(1))
    assert again == first
    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == [
        "epoch-1", "epoch-2", "epoch-3", "request.sha256", "trained.json",
    ]  # fmt: skip


def test_attempt_at_another_training_is_thrown_away(request_: TrainingRequest, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(request_, tmp_path / "w", on_step=stop_at(9))
    other = replace(request_, rows=(*request_.rows, TrainingRow("very fine", 0, 0.5)))
    trained = run(other, tmp_path / "w")
    assert trained.discarded == OTHER_TRAINING
    assert hashes(trained) == hashes(train(other, tmp_path / "fresh"))


def test_damaged_checkpoint_is_thrown_away(request_: TrainingRequest, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(request_, tmp_path / "w", on_step=stop_at(9))
    (checkpoint,) = (tmp_path / "w" / "checkpoint").glob("*.safetensors")
    content = bytearray(checkpoint.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.write_bytes(content)
    trained = run(request_, tmp_path / "w")
    assert trained.discarded == "The checkpoint of the earlier attempt was damaged: the training began again."
    assert hashes(trained) == hashes(train(request_, tmp_path / "fresh"))


def test_checkpoint_whose_epochs_are_gone_is_thrown_away(request_: TrainingRequest, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(request_, tmp_path / "w", on_step=stop_at(9))
    (tmp_path / "w" / "epoch-1").rename(tmp_path / "gone")
    trained = run(request_, tmp_path / "w")
    assert (trained.discarded != "", hashes(trained)[0]) == (True, hash_folder(tmp_path / "gone"))


def test_full_disk_stops_the_training_and_costs_nothing(request_: TrainingRequest, tmp_path: Path) -> None:
    for every_steps in (STEPS + 1, 2):
        with small_files_only(), pytest.raises(StoreFull, match="no room left"):
            run(request_, tmp_path / "w", every_steps=every_steps)
    assert sorted(path.name for path in (tmp_path / "w").rglob("*")) == ["checkpoint", "request.sha256"]
    assert hashes(run(request_, tmp_path / "w")) == hashes(train(request_, tmp_path / "fresh"))


def test_workplace_that_is_a_file_is_a_storage_error(request_: TrainingRequest, tmp_path: Path) -> None:
    (tmp_path / "w").write_text("")
    with pytest.raises(StorageError, match="The workplace"):
        train(request_, tmp_path / "w")


def test_missing_model_leaves_no_workplace(tmp_path: Path) -> None:
    with pytest.raises(BadModelFolder):
        train(make_request(tmp_path / "none"), tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_checkpoints_are_due_by_the_clock() -> None:
    moments = iter([0.0, 59.0, 60.0, 61.0, 119.0, 120.0])
    is_due = every(60.0, clock=lambda: next(moments))
    assert [is_due(number) for number in range(1, 6)] == [False, True, False, False, True]
