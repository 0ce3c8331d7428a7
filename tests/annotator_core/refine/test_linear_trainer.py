"""Refining a linear specialist: it moves from its champion, learns through its map, and grows new classes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotator_core.errors import BadInput, BadModelFolder
from annotator_core.linear.features import Featurizer, learn_terms
from annotator_core.linear.model import Block, LinearModel, Weights, read_linear, write_linear
from annotator_core.refine.linear_trainer import train
from annotator_core.refine.plan import Step, TrainingPlan, TrainingRequest, TrainingRow
from annotator_core.refine.table import find_trainer
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.folder import hash_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap

BLOCKS = (Block("word", 1, 1),)
TEXTS = ["good flight", "bad flight", "good food", "bad food", "late again", "fine"]
ROWS = (TrainingRow("good flight", 1), TrainingRow("bad food", 0), TrainingRow("late again", 0, 0.5))


def write_champion(folder: Path, labels: tuple[str, ...] = ("bad", "good"), seed: int | None = None) -> Path:
    terms, idf = learn_terms(TEXTS, BLOCKS, max_features=100)
    rng = np.random.default_rng(seed)
    draw = rng.normal if seed is not None else lambda size: np.zeros(size)
    weights = Weights(draw(size=(len(labels), len(idf))).astype(np.float32), draw(size=len(labels)).astype(np.float32))
    model = LinearModel(labels=labels, blocks=BLOCKS, terms=terms, idf=idf, weights=weights, strength=5.0)
    return write_linear(model, folder)


def ask(folder: Path, targets: tuple[int, ...] = (0, 1), **changes: object) -> TrainingRequest:
    labels = read_linear(folder).labels
    request = TrainingRequest(folder, "linear", ROWS, LabelMap(labels, targets), ("bad", "good"), TrainingPlan())
    return replace(request, **changes)


def predict(folder: Path, label_map: LabelMap, texts: list[str], n_classes: int = 2) -> np.ndarray:
    return load_specialist("linear", SpecialistSpec(folder, label_map, n_classes)).predict(texts).probs


def test_train_from_zero_equals_logistic_regression(tmp_path: Path) -> None:
    """The intercept is held like any weight, which scikit-learn does for a column of ones."""
    from sklearn.linear_model import LogisticRegression

    champion = write_champion(tmp_path / "champion", ("bad", "good", "late"))
    rows = tuple(TrainingRow(text, index % 3, 1.0 + index) for index, text in enumerate(TEXTS))
    request = ask(champion, (0, 1, 2), rows=rows, class_names=("bad", "good", "late"))
    learned = read_linear(train(request, tmp_path / "work").folders[0])
    features = Featurizer(BLOCKS, learned.terms, learned.idf).transform(TEXTS).toarray()
    peer = LogisticRegression(C=5.0, fit_intercept=False, tol=1e-8, max_iter=1_000).fit(
        np.hstack([features, np.ones((6, 1))]), [row.class_index for row in rows], [row.weight for row in rows]
    )
    found = np.column_stack([learned.weights.coef, learned.weights.intercept])
    assert np.abs(found - peer.coef_).max() < 2e-3


def test_train_learns_the_rows_and_keeps_the_rest(tmp_path: Path) -> None:
    champion = write_champion(tmp_path / "champion", seed=3)
    trained = train(ask(champion), tmp_path / "work")
    before, after = read_linear(champion), read_linear(trained.folders[0])
    assert (after.terms, after.strength, after.labels) == (before.terms, before.strength, before.labels)
    assert trained.label_map == LabelMap(("bad", "good"), (0, 1))
    fine = before.terms[0].index("fine")
    assert np.array_equal(after.weights.coef[:, fine], before.weights.coef[:, fine])
    sure = predict(trained.folders[0], trained.label_map, ["good flight", "bad food"])
    unsure = predict(champion, trained.label_map, ["good flight", "bad food"])
    assert sure[0, 1] > unsure[0, 1]
    assert sure[1, 0] > unsure[1, 0]


def test_train_reports_each_iteration_and_one_checkpoint(tmp_path: Path) -> None:
    steps: list[Step] = []
    checkpoints: list[bool] = []
    work = tmp_path / "work"
    request = ask(write_champion(tmp_path / "champion", seed=3))
    trained = train(
        request,
        work,
        on_step=steps.append,
        on_checkpoint=lambda: checkpoints.append((work / "epoch-1").is_dir()),
    )
    assert [(step.number, step.loss) for step in steps] == list(enumerate(trained.losses))[1:]
    assert list(trained.losses) == sorted(trained.losses, reverse=True)
    assert (checkpoints, trained.folders, trained.discarded) == ([True], (work / "epoch-1",), "")


def test_train_finished_before_returns_at_once(tmp_path: Path) -> None:
    steps: list[Step] = []
    request = ask(write_champion(tmp_path / "champion", seed=3))
    first = train(request, tmp_path / "work")
    again = train(replace(request, plan=TrainingPlan(epochs=9)), tmp_path / "work", on_step=steps.append)
    assert (again.folders, again.losses, steps) == (first.folders, first.losses, [])


def test_train_is_the_same_to_the_byte_and_begins_again_for_other_rows(tmp_path: Path) -> None:
    request = ask(write_champion(tmp_path / "champion", seed=3))
    one, two = train(request, tmp_path / "one").folders[0], train(request, tmp_path / "two").folders[0]
    hashes = [hash_folder(one), hash_folder(two)]
    other = train(replace(request, rows=ROWS[:2]), tmp_path / "two")
    assert (hashes[0], hash_folder(other.folders[0]) == hashes[0]) == (hashes[1], False)
    assert "another training" in other.discarded


def test_train_stopped_in_between_leaves_no_version(tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        raise KeyboardInterrupt

    request = ask(write_champion(tmp_path / "champion", seed=3))
    with pytest.raises(KeyboardInterrupt):
        train(request, tmp_path / "work", on_step=stop)
    assert not (tmp_path / "work" / "epoch-1").exists()
    assert train(request, tmp_path / "work").discarded == ""


def test_train_goes_on_after_a_kill_between_version_and_result(tmp_path: Path) -> None:
    request = ask(write_champion(tmp_path / "champion", seed=3))
    first = train(request, tmp_path / "work")
    before = hash_folder(first.folders[0])
    (tmp_path / "work" / "trained.json").unlink()
    again = train(request, tmp_path / "work")
    assert (again.losses, hash_folder(again.folders[0])) == (first.losses, before)


def test_train_through_a_map_of_several_labels_keeps_head_and_map(tmp_path: Path) -> None:
    champion = write_champion(tmp_path / "champion", ("awful", "bad", "good", "spam"), seed=3)
    request = ask(champion, (0, 0, 1, -1))
    trained = train(request, tmp_path / "work")
    assert trained.label_map == request.label_map
    before, after = (predict(folder, request.label_map, ["good flight"]) for folder in (champion, trained.folders[0]))
    assert after[0, 1] > before[0, 1]


def test_train_gives_a_class_without_a_label_a_head(tmp_path: Path) -> None:
    champion = write_champion(tmp_path / "champion", ("bad", "good", "very good"), seed=3)
    names = ("bad", "good", "late")
    rows = (*ROWS[:2], *[TrainingRow("late again", 2)] * 5)
    trained = train(ask(champion, (0, 1, 1), rows=rows, class_names=names), tmp_path / "work")
    assert trained.label_map == LabelMap(names, (0, 1, 2))
    assert read_linear(trained.folders[0]).labels == names
    assert predict(trained.folders[0], trained.label_map, ["late again"], 3)[0].argmax() == 2


def test_train_refuses_other_labels_bad_rows_and_other_models(tmp_path: Path, classifier: Path) -> None:
    champion = write_champion(tmp_path / "champion")
    with pytest.raises(BadInput, match="The label map is for other labels"):
        train(ask(champion, label_map=LabelMap(("a", "b"), (0, 1))), tmp_path / "work")
    with pytest.raises(BadInput, match="There is no labeled text"):
        train(ask(champion, rows=()), tmp_path / "work")
    with pytest.raises(BadModelFolder, match=r"linear.json is not readable"):
        train(replace(ask(champion), folder=classifier), tmp_path / "work")


def test_find_trainer_knows_it() -> None:
    assert find_trainer("linear") is train
