"""Checkpoints: what is kept, what is refused, what a full disk does."""

import hashlib
from pathlib import Path

import pytest

from annotator_core.errors import StoreFull
from annotator_core.refine.checkpoint import BrokenCheckpoint, load_checkpoint, save_checkpoint
from tests.annotator_core.refine.disk import small_files_only


def test_state_comes_back_as_it_was(torch, tmp_path: Path) -> None:
    state = {"weights": torch.arange(3.0), "losses": [0.1, 0.2], "rng": (3, (1, 2), None)}
    save_checkpoint(tmp_path / "c", 7, state)
    loaded = load_checkpoint(tmp_path / "c")
    assert torch.equal(loaded.pop("weights"), state.pop("weights"))
    assert loaded == state


def test_only_the_newest_is_kept_and_read(tmp_path: Path) -> None:
    paths = [save_checkpoint(tmp_path, step, {"step": step}) for step in (9, 10)]
    assert (list(tmp_path.iterdir()), load_checkpoint(tmp_path)) == ([paths[1]], {"step": 10})


def test_none_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "nowhere") is None


def test_other_bytes_than_its_name_says_are_broken(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 1, {"step": 1})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenCheckpoint, match="is damaged"):
        load_checkpoint(tmp_path)


def test_a_whole_file_that_is_no_checkpoint_is_broken(tmp_path: Path) -> None:
    content = b"no tensors in here"
    (tmp_path / f"000000001-{hashlib.sha256(content).hexdigest()}.safetensors").write_bytes(content)
    with pytest.raises(BrokenCheckpoint, match="cannot be read"):
        load_checkpoint(tmp_path)


def test_state_of_no_known_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot hold generator"):
        save_checkpoint(tmp_path, 1, {"state": (number for number in range(3))})
    assert list(tmp_path.iterdir()) == []


def test_tied_weights_are_kept_each(torch, tmp_path: Path) -> None:
    shared = torch.arange(4.0)
    save_checkpoint(tmp_path, 1, {"one": shared, 2: shared.view(2, 2)})
    loaded = load_checkpoint(tmp_path)
    assert loaded["one"].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert loaded[2].tolist() == [[0.0, 1.0], [2.0, 3.0]]


def test_full_disk_keeps_the_last_checkpoint(torch, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, 1, {"step": 1})
    with small_files_only(), pytest.raises(StoreFull, match="no room left"):
        save_checkpoint(tmp_path, 2, {"weights": torch.zeros(10_000)})
    assert (load_checkpoint(tmp_path), len(list(tmp_path.iterdir()))) == ({"step": 1}, 1)
