"""A model between two: its weights lie on the line from the champion's to the challenger's."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from annotator_core.errors import BadInput, BadModelFolder
from annotator_core.refine.folders import copy_companions, write_beside
from annotator_core.specialists.config import read_json
from annotator_core.specialists.folder import inspect_folder, list_files

if TYPE_CHECKING:
    from torch import Tensor

_WHOLE: Final = "model.safetensors"
_INDEX: Final = "model.safetensors.index.json"
_CANNOT: Final = "The two models cannot be mixed"


class Weights:
    """The tensors of a model folder by name, read one at a time, from one file or from shards."""

    def __init__(self, opened: dict[str, Any]) -> None:
        """Keep which open file holds which tensor; use `open_weights`."""
        self._files = opened

    @property
    def names(self) -> frozenset[str]:
        """The names of all tensors."""
        return frozenset(self._files)

    def read(self, name: str) -> "Tensor":
        """Return a tensor as it is stored."""
        tensor: Tensor = self._files[name].get_tensor(name)
        return tensor


@contextmanager
def open_weights(folder: Path) -> Iterator[Weights]:
    """Give the tensors of a folder that `inspect_folder` accepts; raise BadModelFolder where they cannot be read."""
    from safetensors import SafetensorError, safe_open

    is_whole = (folder / _WHOLE).is_file()
    files = {_WHOLE} if is_whole else set(read_json(folder / _INDEX)["weight_map"].values())
    with ExitStack() as stack:
        opened: dict[str, Any] = {}
        for file in sorted(files):
            try:
                content = stack.enter_context(safe_open(folder / file, framework="pt"))
            except (OSError, SafetensorError) as error:
                raise BadModelFolder(f"{folder / file} cannot be read: {error}.") from error
            opened |= dict.fromkeys(content.keys(), content)
        yield Weights(opened)


def interpolate(champion: Path, challenger: Path, share: float, out_folder: Path) -> Path:
    """Return `out_folder`, a model with (1 - share) of the champion's weights and share of the challenger's.

    Computed in fp32, stored as the challenger's are; whole numbers, tokenizer and config are the challenger's. share is
    from 0 to 1; at 1 the challenger is copied. The same folders give the same bytes. What the champion has besides
    (weights that its classifier never used) is left out.

    Raises BadInput where the two are no versions of one model (another head, names or shapes), BadModelFolder for a
    folder that is refused, StoreFull or StorageError where `out_folder` cannot be written. Source: WiSE-FT (Wortsman et
    al. 2022, Robust fine-tuning of zero-shot models, eq. 1).
    """
    if not 0 <= share <= 1:
        raise BadInput(f"The challenger's share must be from 0 to 1, not {share}.")
    if share == 1:
        return _copy(challenger, out_folder)
    if inspect_folder(champion).labels != inspect_folder(challenger).labels:
        raise BadInput(f"{_CANNOT}: they answer with other labels.")
    with open_weights(champion) as old, open_weights(challenger) as new:
        mixed = {name: _mix(name, old, new, share) for name in sorted(new.names)}
    return _write(mixed, challenger, out_folder)


def _mix(name: str, old: Weights, new: Weights, share: float) -> "Tensor":
    wanted = new.read(name)
    if not wanted.is_floating_point():
        return wanted
    if name not in old.names:
        raise BadInput(f"{_CANNOT}: the champion has no weights named {name}.")
    before = old.read(name)
    if before.shape != wanted.shape:
        raise BadInput(f"{_CANNOT}: {name} has the shapes {list(before.shape)} and {list(wanted.shape)}.")
    return ((1 - share) * before.float() + share * wanted.float()).to(wanted.dtype)


def _write(tensors: dict[str, "Tensor"], challenger: Path, out_folder: Path) -> Path:
    from safetensors.torch import save_file

    with write_beside(out_folder) as beside:
        save_file(tensors, beside / _WHOLE, metadata={"format": "pt"})
        shutil.copyfile(challenger / "config.json", beside / "config.json")
        copy_companions(challenger, beside)
    return out_folder


def _copy(source: Path, out_folder: Path) -> Path:
    with write_beside(out_folder) as beside:
        for file in list_files(source):
            shutil.copyfile(source / file.name, beside / file.name)
    return out_folder
