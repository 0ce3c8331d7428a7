"""The linear backend: scikit-learn's answers, from a folder that nothing can run from."""

import json
from pathlib import Path

import numpy as np
import pytest

from annotator_core.consensus.average import has_voted
from annotator_core.errors import BadLabelMap, BadModelFolder, PredictionStopped
from annotator_core.linear.features import make_vectorizer
from annotator_core.linear.model import write_linear
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.folder import hash_folder, inspect_folder
from annotator_core.specialists.linear_backend import load
from annotator_core.specialists.store import store_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap
from tests.annotator_core.linear.conftest import BLOCKS, LABELS, TEXTS, make_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_linear(make_model(), tmp_path / "linear")


def _load(folder: Path, targets: tuple[int, ...] = (0, 1, 2)) -> Specialist:
    return load_specialist("linear", SpecialistSpec(folder, LabelMap(LABELS, targets), 3, identity=Identity("plain")))


def _answer_as_scikit_learn(texts: list[str]) -> np.ndarray:
    model = make_model()
    rows = []
    for block, terms in zip(BLOCKS, model.terms, strict=True):
        vectorizer = make_vectorizer(block, 200).fit(TEXTS)
        assert tuple(vectorizer.get_feature_names_out()) == terms
        rows.append(vectorizer.transform(texts).toarray())
    logits = np.hstack(rows) @ model.weights.coef.T + model.weights.intercept
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def test_inspect_reads_the_card(folder: Path) -> None:
    card = inspect_folder(folder)
    assert (card.backend, card.architecture, card.model_type) == ("linear", "TF-IDF + logistic regression", "linear")
    assert (card.labels, card.max_length, card.license) == (LABELS, None, "cc0-1.0")
    assert [file.name for file in card.files] == ["linear.json", "linear.safetensors", "vocabulary.json"]


@pytest.mark.parametrize("name", ["linear.safetensors", "vocabulary.json"])
def test_inspect_refuses_a_part(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BadModelFolder, match=f"has no {name}"):
        inspect_folder(folder)


@pytest.mark.parametrize("labels", [["one"], "ab", [1, 2], None])
def test_inspect_refuses_labels(folder: Path, labels: object) -> None:
    path = folder / "linear.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": labels, "license": 7}))
    with pytest.raises(BadModelFolder, match="label"):
        inspect_folder(folder)


def test_inspect_refuses_weights_cut_short(folder: Path) -> None:
    path = folder / "linear.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(BadModelFolder, match="damaged or cut short"):
        inspect_folder(folder)


def test_predict_equals_scikit_learn(folder: Path) -> None:
    prediction = _load(folder).predict(TEXTS)
    assert np.abs(prediction.probs - _answer_as_scikit_learn(TEXTS)).max() < 1e-6
    assert (prediction.reasons, prediction.truncated) == ((None,) * len(TEXTS), 0)
    assert _load(folder).identity == Identity("plain")


def test_predict_of_unknown_words_gives_the_prior(folder: Path) -> None:
    powers = np.exp(make_model().weights.intercept.astype(np.float64))
    assert np.abs(_load(folder).predict(["qqq"]).probs[0] - powers / powers.sum()).max() < 1e-6


def test_predict_flawed_texts_abstain_and_spoil_nothing(folder: Path) -> None:
    texts = ["", "good", " \n", "\ud800", "good"]
    prediction = _load(folder).predict(texts)
    assert has_voted(prediction.probs).tolist() == [False, True, False, False, True]
    assert prediction.reasons[0] == prediction.reasons[2] == "The text is empty."
    assert prediction.reasons[3] == "The text holds a lone surrogate: it is not Unicode."
    assert np.array_equal(prediction.probs[1], _load(folder).predict(["good"]).probs[0])


def test_predict_of_no_texts_is_empty(folder: Path) -> None:
    assert _load(folder).predict([]).probs.shape == (0, 3)


def test_predict_through_a_map_sums_and_abstains(folder: Path) -> None:
    plain, mapped = _load(folder).predict(TEXTS), _load(folder, (0, -1, 0)).predict(TEXTS)
    tops = plain.probs.argmax(axis=1)
    assert has_voted(mapped.probs).tolist() == (tops != 1).tolist()
    assert set(mapped.probs[tops != 1, 0].tolist()) == {1.0}


def test_predict_tells_progress_and_stops_between_batches(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    texts = [f"text {number}" for number in range(4_500)]
    _load(folder).predict(texts, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2_000, 4_500), (4_000, 4_500), (4_500, 4_500)]
    seen.clear()
    with pytest.raises(PredictionStopped):
        _load(folder).predict(
            texts, on_progress=lambda done, total: seen.append((done, total)), should_stop=lambda: bool(seen)
        )
    assert seen == [(2_000, 4_500)]


def test_load_refuses_other_labels_and_other_models(folder: Path, classifier: Path) -> None:
    with pytest.raises(BadLabelMap, match="for other labels"):
        load(SpecialistSpec(folder, LabelMap(("a", "b"), (0, 1)), 3))
    with pytest.raises(BadModelFolder, match="holds a torch model, no linear one"):
        load(SpecialistSpec(classifier, LabelMap(LABELS, (0, 1, 2)), 3))


def test_store_keeps_all_parts(folder: Path, tmp_path: Path) -> None:
    stored = store_folder(folder, tmp_path / "store")
    assert stored.hash == hash_folder(folder)
    assert np.array_equal(_load(stored.path).predict(TEXTS).probs, _load(folder).predict(TEXTS).probs)
