"""A linear classifier and the folder that holds it: two JSON files and one of safetensors, nothing that runs code."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from annotator_core.arrays import FloatArray
from annotator_core.errors import BadInput, BadModelFolder
from annotator_core.storage import report_storage

SETTINGS_FILE: Final = "linear.json"
VOCABULARY_FILE: Final = "vocabulary.json"
WEIGHTS_FILE: Final = "linear.safetensors"
FORMAT: Final = 1
"""It also fixes what is no setting: lower case, words of one letter or more, sublinear counts, rows of length 1."""
_MAX_JSON_BYTES: Final = 64_000_000
"""Chosen: a vocabulary of 100,000 terms has about 2 MB."""
_MAX_NGRAM: Final = 8
"""Chosen: longer n-grams hardly occur twice."""

Analyzer = Literal["word", "char_wb"]
"""What is counted: words, or characters inside words with a blank at both ends."""


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of feature: n-grams of `shortest` to `longest` words or characters."""

    analyzer: Analyzer
    shortest: int
    longest: int


@dataclass(frozen=True, slots=True)
class Weights:
    """What logistic regression learned: coef (labels, d) and intercept (labels,)."""

    coef: FloatArray
    intercept: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """A linear classifier over d features.

    terms: for each block its terms, in the order of their columns. idf (d,): the columns of all blocks one after the
    other. strength: how far one row may move the weights, above 0 (C of scikit-learn). license: None where none was
    given.
    """

    labels: tuple[str, ...]
    blocks: tuple[Block, ...]
    terms: tuple[tuple[str, ...], ...]
    idf: FloatArray
    weights: Weights
    strength: float
    license: str | None = None


def write_linear(model: LinearModel, out_folder: Path) -> Path:
    """Return the folder in which the model now stands: made beside and renamed, so whole or not at all.

    Raises BadInput where it exists already, StorageError or StoreFull where it cannot be written.
    """
    with report_storage(f"The folder {out_folder}"):
        if out_folder.exists():
            raise BadInput(f"{out_folder} exists already; a version of a model is never overwritten.")
        beside = out_folder.with_name(f".{out_folder.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        try:
            _fill(model, beside)
            os.rename(beside, out_folder)  # noqa: PTH104 - unlike Path.replace it says that it never merges
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return out_folder


def read_linear(folder: Path) -> LinearModel:
    """Return the model of a folder.

    Raises BadModelFolder for a file that is missing, damaged or of another format, and for parts that do not fit.
    """
    settings = _read_json(folder / SETTINGS_FILE)
    if settings.get("format") != FORMAT:
        raise BadModelFolder(f"{SETTINGS_FILE} has format {settings.get('format')!r}: only {FORMAT} can be read.")
    blocks = _read_blocks(settings)
    tensors = _read_tensors(folder / WEIGHTS_FILE)
    model = LinearModel(
        labels=_read_texts(settings.get("labels"), f"The labels in {SETTINGS_FILE}"),
        blocks=blocks,
        terms=_read_terms(folder, len(blocks)),
        idf=tensors["idf"],
        weights=Weights(tensors["coef"], tensors["intercept"]),
        strength=_read_strength(settings),
        license=settings["license"] if isinstance(settings.get("license"), str) else None,
    )
    _check_shapes(model)
    return model


def _fill(model: LinearModel, folder: Path) -> None:
    settings = {
        "format": FORMAT,
        "labels": model.labels,
        "blocks": [[block.analyzer, block.shortest, block.longest] for block in model.blocks],
        "strength": model.strength,
        "license": model.license,
    }
    tensors = {"coef": model.weights.coef, "intercept": model.weights.intercept, "idf": model.idf}
    whole = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in tensors.items()}
    _write(folder / SETTINGS_FILE, json.dumps(settings, ensure_ascii=False, indent=1).encode())
    _write(folder / VOCABULARY_FILE, json.dumps({"terms": model.terms}, ensure_ascii=False, indent=0).encode())
    _write(folder / WEIGHTS_FILE, save(whole))


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise BadModelFolder(f"{path.name} is larger than {_MAX_JSON_BYTES} bytes: this is no model's file.")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadModelFolder(f"{path.name} is not readable as JSON: {error}.") from error
    if not isinstance(content, dict):
        raise BadModelFolder(f"{path.name} must hold a JSON object.")
    return content


def _read_texts(content: object, what: str) -> tuple[str, ...]:
    if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
        raise BadModelFolder(f"{what} must be a list of texts.")
    if len(set(content)) != len(content):
        raise BadModelFolder(f"{what} hold the same text twice.")
    return tuple(content)


def _read_blocks(settings: Mapping[str, Any]) -> tuple[Block, ...]:
    stored = settings.get("blocks")
    blocks = [_read_block(entry) for entry in stored] if isinstance(stored, list) else []
    if not blocks:
        raise BadModelFolder(f"{SETTINGS_FILE} must name at least one block of features.")
    return tuple(blocks)


def _read_block(entry: object) -> Block:
    match entry:
        case [str() as analyzer, int() as shortest, int() as longest]:
            if analyzer in get_args(Analyzer) and 1 <= shortest <= longest <= _MAX_NGRAM:
                return Block(analyzer, shortest, longest)  # type: ignore[arg-type]  # one of the Literal's values
    raise BadModelFolder(f"{SETTINGS_FILE} names features that are unknown: {entry!r:.60}.")


def _read_strength(settings: Mapping[str, Any]) -> float:
    strength = settings.get("strength")
    if not isinstance(strength, int | float) or not (math.isfinite(strength) and strength > 0):
        raise BadModelFolder(f"The strength in {SETTINGS_FILE} must be a number above 0, not {strength!r:.60}.")
    return float(strength)


def _read_terms(folder: Path, n_blocks: int) -> tuple[tuple[str, ...], ...]:
    stored = _read_json(folder / VOCABULARY_FILE).get("terms")
    if not isinstance(stored, list) or len(stored) != n_blocks:
        raise BadModelFolder(f"{VOCABULARY_FILE} must hold the terms of {n_blocks} blocks.")
    return tuple(_read_texts(terms, f"The terms in {VOCABULARY_FILE}") for terms in stored)


def _read_tensors(path: Path) -> dict[str, FloatArray]:
    try:
        tensors: dict[str, FloatArray] = load(path.read_bytes())
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise BadModelFolder(f"{path.name} is missing, damaged or cut short: fetch or copy the model again.") from error
    for name in ("coef", "intercept", "idf"):
        if name not in tensors or tensors[name].dtype != np.float32:
            raise BadModelFolder(f"{path.name} needs the numbers {name!r} as float32.")
        if not np.isfinite(tensors[name]).all():
            raise BadModelFolder(f"{path.name} holds numbers in {name!r} that are not finite.")
    return tensors


def _check_shapes(model: LinearModel) -> None:
    n_labels, d = len(model.labels), sum(len(terms) for terms in model.terms)
    found = {"coef": model.weights.coef.shape, "intercept": model.weights.intercept.shape, "idf": model.idf.shape}
    for name, shape in {"coef": (n_labels, d), "intercept": (n_labels,), "idf": (d,)}.items():
        if found[name] != shape:
            raise BadModelFolder(f"{WEIGHTS_FILE} has {name!r} of shape {found[name]}, but {shape} fits the labels.")
