"""The folder of a linear model: what is written is read, and what is damaged says so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from annotator_core.errors import BadInput, BadModelFolder, StorageError
from annotator_core.linear.model import SETTINGS_FILE, VOCABULARY_FILE, WEIGHTS_FILE, read_linear, write_linear


def test_write_then_read_gives_the_same_model(model: Any, tmp_path: Path) -> None:
    read = read_linear(write_linear(model, tmp_path / "deep" / "model"))
    assert (read.labels, read.blocks, read.terms) == (model.labels, model.blocks, model.terms)
    assert (read.strength, read.license) == (10.0, "cc0-1.0")
    assert np.array_equal(read.weights.coef, model.weights.coef)
    assert np.array_equal(read.weights.intercept, model.weights.intercept)
    assert np.array_equal(read.idf, model.idf)


def test_write_is_the_same_to_the_byte(model: Any, tmp_path: Path) -> None:
    one, two = write_linear(model, tmp_path / "one"), write_linear(model, tmp_path / "two")
    names = sorted(path.name for path in one.iterdir())
    assert names == [SETTINGS_FILE, WEIGHTS_FILE, VOCABULARY_FILE]
    assert [(one / name).read_bytes() for name in names] == [(two / name).read_bytes() for name in names]


def test_write_never_overwrites_and_leaves_nothing_half_done(model: Any, tmp_path: Path) -> None:
    (tmp_path / ".one.part").mkdir()
    write_linear(model, tmp_path / "one")
    with pytest.raises(BadInput, match="exists already"):
        write_linear(model, tmp_path / "one")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_linear(model, tmp_path / "file" / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "one"]


def _settings(**changes: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        path = folder / SETTINGS_FILE
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def _terms(terms: object) -> Callable[[Path], object]:
    return lambda folder: (folder / VOCABULARY_FILE).write_text(json.dumps({"terms": terms}))


def _tensor(name: str, change: Callable[[np.ndarray], np.ndarray] | None) -> Callable[[Path], object]:
    def rewrite(folder: Path) -> None:
        tensors = load_file(folder / WEIGHTS_FILE)
        if change:
            tensors[name] = change(tensors[name])
        else:
            del tensors[name]
        save_file(tensors, folder / WEIGHTS_FILE)

    return rewrite


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / SETTINGS_FILE).unlink(), "linear.json is not readable as JSON"),
        (lambda folder: (folder / SETTINGS_FILE).write_text("["), "linear.json is not readable as JSON"),
        (lambda folder: (folder / SETTINGS_FILE).write_text("[]"), "linear.json must hold a JSON object"),
        (lambda folder: (folder / VOCABULARY_FILE).write_bytes(b"\xff\xfe\xfd"), "vocabulary.json is not readable"),
        (_settings(format=2), "linear.json has format 2: only 1 can be read"),
        (_settings(labels="abc"), "The labels in linear.json must be a list of texts"),
        (_settings(labels=["a", "a", "b"]), "The labels in linear.json hold the same text twice"),
        (_settings(labels=["a", "b"]), r"'coef' of shape \(3, \d+\), but \(2, \d+\) fits"),
        (_settings(blocks=[]), "must name at least one block"),
        (_settings(blocks="word"), "must name at least one block"),
        (_settings(blocks=[["bytes", 1, 2], ["word", 1, 1]]), "names features that are unknown"),
        (_settings(blocks=[["word", 2, 1], ["word", 1, 1]]), "names features that are unknown"),
        (_settings(blocks=[["word", 1, 99], ["word", 1, 1]]), "names features that are unknown"),
        (_settings(blocks=["word", 7]), "names features that are unknown"),
        (_settings(strength=0), "The strength in linear.json must be a number above 0"),
        (_settings(strength="big"), "The strength in linear.json must be a number above 0"),
        (_terms([["a"]]), "vocabulary.json must hold the terms of 2 blocks"),
        (_terms([["a"], [7]]), "The terms in vocabulary.json must be a list of texts"),
        (_terms([["a"], ["b", "b"]]), "The terms in vocabulary.json hold the same text twice"),
        (_terms([["a"], ["b"]]), r"'coef' of shape \(3, \d+\), but \(3, 2\) fits"),
        (lambda folder: (folder / WEIGHTS_FILE).unlink(), "linear.safetensors is missing, damaged or cut short"),
        (lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"pickle"), "linear.safetensors is missing, damaged"),
        (_tensor("idf", None), "linear.safetensors needs the numbers 'idf' as float32"),
        (_tensor("coef", lambda coef: coef.astype(np.float64)), "needs the numbers 'coef' as float32"),
        (_tensor("coef", lambda coef: coef * np.nan), "numbers in 'coef' that are not finite"),
        (_tensor("idf", lambda idf: idf[:-1]), "'idf' of shape"),
        (_tensor("intercept", lambda intercept: intercept[:, None]), "'intercept' of shape"),
    ],
)
def test_read_refuses_what_is_damaged(
    model: Any, tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    folder = write_linear(model, tmp_path / "model")
    spoil(folder)
    with pytest.raises(BadModelFolder, match=message):
        read_linear(folder)


def test_read_refuses_a_huge_file(model: Any, tmp_path: Path) -> None:
    folder = write_linear(model, tmp_path / "model")
    with (folder / VOCABULARY_FILE).open("r+b") as file:
        file.truncate(64_000_001)
    with pytest.raises(BadModelFolder, match=r"vocabulary.json is larger than 64000000 bytes"):
        read_linear(folder)
