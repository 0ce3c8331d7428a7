"""Models between two."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from annotator_core.errors import BadInput, BadModelFolder, StoreFull
from annotator_core.refine.interpolate import interpolate, open_weights
from annotator_core.refine.trainer import train
from annotator_core.specialists.folder import hash_folder, inspect_folder
from tests.annotator_core.refine.disk import small_files_only
from tests.annotator_core.refine.models import make_request, write_model


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A champion and its challenger."""
    champion = write_model(tmp_path / "champion")
    return champion, train(make_request(champion, epochs=1), tmp_path / "w").folders[-1]


def change(folder: Path, **tensors: object) -> None:
    path = folder / "model.safetensors"
    held = load_file(path) | tensors
    save_file({name: held[name] for name in held if held[name] is not None}, path, metadata={"format": "pt"})


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_weights_lie_on_the_line(torch, pair: tuple[Path, Path], tmp_path: Path, share: float) -> None:
    out = interpolate(*pair, share, tmp_path / "out")
    old, new, mixed = (load_file(folder / "model.safetensors") for folder in (*pair, out))
    assert mixed.keys() == new.keys()
    assert all(torch.equal(mixed[name], (1 - share) * old[name] + share * new[name]) for name in mixed)
    assert inspect_folder(out).labels == inspect_folder(pair[1]).labels


def test_same_folders_give_the_same_bytes(pair: tuple[Path, Path], tmp_path: Path) -> None:
    one, two = (interpolate(*pair, 0.5, tmp_path / name) for name in ("one", "two"))
    assert hash_folder(one) == hash_folder(two)


def test_whole_share_is_the_challenger(pair: tuple[Path, Path], tmp_path: Path) -> None:
    assert hash_folder(interpolate(*pair, 1.0, tmp_path / "out")) == hash_folder(pair[1])


def test_whole_numbers_are_the_challengers_and_unused_weights_left_out(
    torch, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    change(pair[0], count=torch.tensor([1]), unused=torch.zeros(2))
    change(pair[1], count=torch.tensor([5]))
    mixed = load_file(interpolate(*pair, 0.5, tmp_path / "out") / "model.safetensors")
    assert (mixed["count"].tolist(), "unused" in mixed) == ([5], False)


def test_halves_are_mixed_in_fp32(torch, pair: tuple[Path, Path], tmp_path: Path) -> None:
    bias = torch.tensor([0.1, 0.2], dtype=torch.float16)
    change(pair[0], **{"classifier.bias": bias})
    change(pair[1], **{"classifier.bias": torch.zeros(2)})
    mixed = load_file(interpolate(*pair, 0.5, tmp_path / "out") / "model.safetensors")["classifier.bias"]
    assert torch.equal(mixed, 0.5 * bias.float())


def test_sharded_weights_are_read(pair: tuple[Path, Path], tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    whole = interpolate(*pair, 0.5, tmp_path / "whole")
    sharded = Path(shutil.copytree(pair[0], tmp_path / "sharded"))
    (sharded / "model.safetensors").unlink()
    AutoModelForSequenceClassification.from_pretrained(pair[0]).save_pretrained(sharded, max_shard_size="4KB")
    assert (sharded / "model.safetensors.index.json").exists()
    assert hash_folder(interpolate(sharded, pair[1], 0.5, tmp_path / "out")) == hash_folder(whole)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_share_outside_is_refused(pair: tuple[Path, Path], tmp_path: Path, share: float) -> None:
    with pytest.raises(BadInput, match="must be from 0 to 1"):
        interpolate(*pair, share, tmp_path / "out")


def test_new_head_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    other = write_model(tmp_path / "other", labels=("good", "bad"))
    with pytest.raises(BadInput, match="they answer with other labels"):
        interpolate(other, pair[1], 0.5, tmp_path / "out")


@pytest.mark.parametrize(
    ("weights", "message"),
    [(None, "the champion has no weights named classifier.bias"), ([0.0] * 3, r"the shapes \[3\] and \[2\]")],
)
def test_other_weights_are_refused_and_leave_nothing(torch, pair, tmp_path: Path, weights, message: str) -> None:
    change(pair[0], **{"classifier.bias": weights and torch.tensor(weights)})
    with pytest.raises(BadInput, match=message):
        interpolate(*pair, 0.5, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_full_disk_leaves_nothing(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with small_files_only(), pytest.raises(StoreFull):
        interpolate(*pair, 0.5, tmp_path / "versions" / "out")
    assert list((tmp_path / "versions").iterdir()) == []


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(BadModelFolder, match=r"model\.safetensors cannot be read"), open_weights(tmp_path):
        pass
