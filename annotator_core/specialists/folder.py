"""What stands in a model folder, read without loading it: a card, or why it is refused. Standard library only."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from annotator_core.errors import BadModelFolder
from annotator_core.paths import is_inside
from annotator_core.specialists.config import find_labels, find_max_length, read_json, read_license
from annotator_core.specialists.safetensors_header import check_safetensors

ALLOWED_PATTERNS: Final = (
    "*.json",
    "*.txt",
    "*.safetensors",
    "*.model",
    "*.codes",
    "README.md",
    "LICENSE",
)
"""The files of a model that are ever copied, fetched or hashed: none of them can run code."""
FAKE_FILE: Final = "fake-specialist.json"
"""Marks the folder of a fake specialist, which only tests may load."""
LINEAR_FILES: Final = ("linear.json", "vocabulary.json", "linear.safetensors")
"""The parts of a linear specialist; the first one marks its folder."""
_PICKLES: Final = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt", "*.h5", "*.msgpack")
_TOKENIZERS: Final = ({"tokenizer.json"}, {"vocab.txt"}, {"vocab.json", "merges.txt"})
_CLASSIFIERS: Final = ("ForSequenceClassification",)
_ENCODERS: Final = (*_CLASSIFIERS, "Model", "ForMaskedLM", "ForPreTraining")
"""What an architecture's name ends with where its weights hold an encoder that can carry a classification head."""
_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class FolderFile:
    """One file of a model folder that counts: its name and size."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class FolderCard:
    """What a model folder says about itself.

    backend: ``torch``, ``linear`` or ``fake``. labels: in the order of the model's outputs. max_length: tokens a text
    may have, None where the model names no limit. license: from the README's front matter or a linear model's
    settings, None where there is none.
    """

    path: Path
    backend: str
    architecture: str
    model_type: str
    labels: tuple[str, ...]
    max_length: int | None
    license: str | None
    files: tuple[FolderFile, ...]

    @property
    def size_bytes(self) -> int:
        """The size of all files that count."""
        return sum(file.size_bytes for file in self.files)


def inspect_folder(path: Path, *, allow_fake: bool = False) -> FolderCard:
    """Return the card of a text classifier that can be loaded safely.

    Raises BadModelFolder for a missing folder or part, pickle-only weights, code of its own, links that leave the
    folder, anything but a single-label sequence classifier, and a fake specialist unless ``allow_fake``.
    """
    files = list_files(path)
    names = {file.name for file in files}
    if FAKE_FILE in names:
        return _inspect_fake(path, files, allow_fake=allow_fake)
    if LINEAR_FILES[0] in names:
        return _inspect_linear(path, files)
    return _inspect_model(path, files, _CLASSIFIERS)


def inspect_encoder(path: Path) -> FolderCard:
    """Return the card of an encoder that can be loaded safely and given a classification head; it has no labels.

    Raises BadModelFolder as `inspect_folder` does, but takes a plain encoder, a masked language model or a classifier.
    """
    return _inspect_model(path, list_files(path), _ENCODERS)


def _inspect_model(path: Path, files: tuple[FolderFile, ...], endings: tuple[str, ...]) -> FolderCard:
    names = {file.name for file in files}
    _require(names, "config.json", path)
    config = read_json(path / "config.json")
    architecture = _find_architecture(config, path, endings)
    _refuse_code(path, names, config)
    _check_weights(path, names)
    _check_tokenizer(path, names)
    return FolderCard(
        path=path,
        backend="torch",
        architecture=architecture,
        model_type=str(config.get("model_type", "")),
        labels=find_labels(config, path) if endings == _CLASSIFIERS else (),
        max_length=find_max_length(config, _read_optional(path, names, "tokenizer_config.json")),
        license=read_license(path / "README.md") if "README.md" in names else None,
        files=files,
    )


def list_files(path: Path) -> tuple[FolderFile, ...]:
    """Return the files that count, by name; sub-folders never count.

    Raises BadModelFolder when the folder is missing, unreadable, or holds a link that leaves it.
    """
    try:
        entries = sorted(entry.name for entry in os.scandir(path))
    except OSError as error:
        raise BadModelFolder(f"{path} is no folder that can be read ({error.strerror}): check the path.") from error
    return tuple(
        FolderFile(name, (path / name).stat().st_size) for name in entries if is_allowed(name) and _is_own(path, name)
    )


def is_allowed(name: str) -> bool:
    """Return whether a file of this name may belong to a stored model: a plain name, one of the allowed kinds."""
    return "/" not in name and any(fnmatch(name, pattern) for pattern in ALLOWED_PATTERNS)


def hash_folder(path: Path) -> str:
    """Return the content hash of a model folder: 64 hex characters over names, sizes and bytes of the files that count.

    Raises BadModelFolder as `list_files` does.
    """
    digest = hashlib.sha256()
    for file in list_files(path):
        digest.update(f"{file.name}\0{file.size_bytes}\0".encode())
        for block in _read_blocks(path / file.name):
            digest.update(block)
    return digest.hexdigest()


def _read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _is_own(path: Path, name: str) -> bool:
    if not is_inside(path, path / name):
        raise BadModelFolder(
            f"{name} is a link that leaves the folder: copy the folder with its links followed (cp -rL)."
        )
    return (path / name).is_file()


def _inspect_fake(path: Path, files: tuple[FolderFile, ...], *, allow_fake: bool) -> FolderCard:
    if not allow_fake:
        raise BadModelFolder(f"{path} holds a fake specialist, which only tests may use.")
    labels = read_json(path / FAKE_FILE).get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise BadModelFolder(f"{FAKE_FILE} in {path} needs a list of labels.")
    return FolderCard(path, "fake", "FakeSpecialist", "fake", tuple(labels), None, None, files)


def _inspect_linear(path: Path, files: tuple[FolderFile, ...]) -> FolderCard:
    for name in LINEAR_FILES:
        _require({file.name for file in files}, name, path)
    settings = read_json(path / LINEAR_FILES[0])
    named, license_name = settings.get("labels"), settings.get("license")
    if not isinstance(named, list) or not named:
        raise BadModelFolder(f"{LINEAR_FILES[0]} in {path} needs a list of labels.")
    labels = find_labels({"id2label": dict(enumerate(named))}, path)
    check_safetensors(path / LINEAR_FILES[2])
    licensed = license_name if isinstance(license_name, str) else None
    return FolderCard(path, "linear", "TF-IDF + logistic regression", "linear", labels, None, licensed, files)


def _require(names: set[str], name: str, path: Path) -> None:
    if name not in names:
        raise BadModelFolder(f"{path} has no {name}: it is no model folder, or a part of one.")


def _find_architecture(config: Mapping[str, Any], path: Path, endings: tuple[str, ...]) -> str:
    named = config.get("architectures")
    for name in named if isinstance(named, list) else []:
        if isinstance(name, str) and name.endswith(endings):
            return name
    kind = "text classifier" if endings == _CLASSIFIERS else "text encoder"
    raise BadModelFolder(f"The model in {path} is no {kind}: its config names {named or 'no architecture'}.")


def _refuse_code(path: Path, names: set[str], config: Mapping[str, Any]) -> None:
    if "auto_map" in config or "auto_map" in _read_optional(path, names, "tokenizer_config.json"):
        raise BadModelFolder(
            f"The model in {path} brings code of its own (auto_map), which is never run: choose another."
        )


def _read_optional(path: Path, names: set[str], name: str) -> Mapping[str, Any]:
    return read_json(path / name) if name in names else {}


def _check_weights(path: Path, names: set[str]) -> None:
    weights = _find_weights(path, names)
    missing = sorted(weights - names)
    if missing:
        raise BadModelFolder(f"{path} lacks the weights {', '.join(missing)}: fetch or copy the model again.")
    for name in sorted(weights):
        check_safetensors(path / name)


def _find_weights(path: Path, names: set[str]) -> set[str]:
    if "model.safetensors" in names:
        return {"model.safetensors"}
    if "model.safetensors.index.json" in names:
        return _read_shards(path / "model.safetensors.index.json")
    pickles = sorted(
        entry.name for entry in os.scandir(path) if any(fnmatch(entry.name, pattern) for pattern in _PICKLES)
    )
    if pickles:
        raise BadModelFolder(
            f"{path} has its weights only as {pickles[0]}, a format that can run code. "
            "Save the model again with save_pretrained, which writes model.safetensors."
        )
    raise BadModelFolder(f"{path} has no weights: model.safetensors is missing.")


def _read_shards(index: Path) -> set[str]:
    shards = read_json(index).get("weight_map")
    names = set(shards.values()) if isinstance(shards, dict) else set()
    if not names or not all(isinstance(name, str) and is_allowed(name) for name in names):
        raise BadModelFolder(f"{index} does not name its weights as files of the same folder.")
    return names


def _check_tokenizer(path: Path, names: set[str]) -> None:
    has_sentencepiece = any(name.endswith(".model") for name in names)
    if not has_sentencepiece and not any(needed <= names for needed in _TOKENIZERS):
        raise BadModelFolder(f"{path} has no tokenizer: tokenizer.json, vocab.txt or a .model file is missing.")
