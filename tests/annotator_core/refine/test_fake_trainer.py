"""Trained fakes: they remember, err less, may be spoiled, and go on where they were stopped."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core.errors import BadLabelMap
from annotator_core.fakes.specialist import FakeSettings, find_answer, read_settings
from annotator_core.refine.attempt import OTHER_TRAINING
from annotator_core.refine.fake_trainer import train
from annotator_core.refine.plan import Step, Trained
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.folder import hash_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.refine.models import CLASSES, NAMES, TEXTS, make_request

OTHERS = [f"text {index}" for index in range(2_000)]
LABELS = ("bad", "good")


def train_fake(folder: Path, workplace: Path, *, labels=LABELS, targets=(1, 0), **callbacks) -> Trained:
    return train(make_request(folder, backend="fake", labels=labels, targets=targets), workplace, **callbacks)


def vote(folder: Path, label_map: LabelMap, texts: list[str]) -> list[int]:
    probs = load_specialist("fake", SpecialistSpec(folder, label_map, len(NAMES))).predict(texts).probs
    return probs.argmax(-1).tolist()


def find_accuracy(trained: Trained, folder: Path) -> float:
    truth = [trained.label_map.targets[find_answer(text, FakeSettings(LABELS))] for text in OTHERS]
    return float(np.mean(np.array(vote(folder, trained.label_map, OTHERS)) == truth))


def test_fake_remembers_its_rows_right_or_wrong(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    trained = train_fake(fake_folder(labels=LABELS, noise=0.5), tmp_path / "w")
    assert vote(trained.folders[0], trained.label_map, list(TEXTS)) == list(CLASSES)


def test_fake_errs_less_from_epoch_to_epoch(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    trained = train_fake(fake_folder(labels=LABELS, noise=0.4), tmp_path / "w")
    assert [read_settings(folder).noise for folder in trained.folders] == [0.2, 0.1, 0.05]
    accuracies = [find_accuracy(trained, folder) for folder in trained.folders]
    assert accuracies == pytest.approx([0.8, 0.9, 0.95], abs=0.03)


def test_spoiled_fake_errs_more(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    trained = train_fake(fake_folder(labels=LABELS, noise=0.2, spoils=True), tmp_path / "w")
    assert [read_settings(folder).noise for folder in trained.folders] == pytest.approx([0.6, 0.8, 0.9])
    assert trained.losses[-1] > trained.losses[0]


def test_fake_reports_steps_and_checkpoints(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    steps: list[Step] = []
    ticks: list[int] = []
    folder = fake_folder(labels=LABELS, step_delay_s=1e-9)
    trained = train_fake(folder, tmp_path / "w", on_step=steps.append, on_checkpoint=lambda: ticks.append(len(steps)))
    assert [(step.number, step.of) for step in steps] == [(number, 12) for number in range(1, 13)]
    assert (ticks, trained.losses) == ([4, 8, 12], tuple(step.loss for step in steps))
    assert sorted(trained.losses, reverse=True) == list(trained.losses)


def test_fake_goes_on_after_its_last_epoch(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.number == 6:
            raise KeyboardInterrupt

    folder, steps = fake_folder(labels=LABELS), []
    with pytest.raises(KeyboardInterrupt):
        train_fake(folder, tmp_path / "w", on_step=stop)
    again, fresh = train_fake(folder, tmp_path / "w", on_step=steps.append), train_fake(folder, tmp_path / "fresh")
    assert (steps[0].number, again.losses) == (5, fresh.losses)
    assert [hash_folder(path) for path in again.folders] == [hash_folder(path) for path in fresh.folders]
    assert train_fake(folder, tmp_path / "w", on_step=stop) == again


def test_fake_gets_the_classes_where_one_has_no_label(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    labels = ("good", "noise")
    folder = fake_folder(labels=labels, keywords={"great": "good", "zzz": "noise"}, remembered={"a": 0, "b": 1})
    trained = train_fake(folder, tmp_path / "w", labels=labels, targets=(0, ABSTAIN))
    settings = read_settings(trained.folders[-1])
    assert (trained.label_map, settings.labels) == (LabelMap(NAMES, (0, 1)), NAMES)
    assert (settings.keywords, settings.remembered["a"], "b" in settings.remembered) == (
        {"great": "positive"},
        0,
        False,
    )
    assert vote(trained.folders[-1], trained.label_map, list(TEXTS)) == list(CLASSES)


def test_fake_begins_again_for_another_request(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    train_fake(fake_folder(labels=LABELS), tmp_path / "w")
    assert train_fake(fake_folder("other", labels=LABELS, seed=9), tmp_path / "w").discarded == OTHER_TRAINING


def test_fake_refuses_a_map_of_other_labels(fake_folder: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(BadLabelMap, match="other labels than those of the fake"):
        train_fake(fake_folder(), tmp_path / "w")
