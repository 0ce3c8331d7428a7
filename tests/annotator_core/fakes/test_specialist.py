"""The fake specialist: deterministic, accurate as told, faulty as told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from annotator_core.consensus.average import pick_classes
from annotator_core.errors import BadInput, BadLabelMap, PredictionStopped, SpecialistCrashed
from annotator_core.fakes.specialist import FakeSettings, find_answer
from annotator_core.specialists.contract import Identity, Specialist, SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap

LABELS = ("negative", "neutral", "positive")
TEXTS = [f"text {index}" for index in range(2_000)]


def _load(folder: Path, labels: tuple[str, ...] = LABELS, targets: tuple[int, ...] = (0, 1, 2)) -> Specialist:
    return load_specialist("fake", SpecialistSpec(folder, LabelMap(labels, targets), 3, identity=Identity("fake")))


def test_fake_is_deterministic_and_as_accurate_as_told(fake_folder: Callable[..., Path]) -> None:
    folder = fake_folder(noise=0.2)
    one, other = _load(folder).predict(TEXTS), _load(folder).predict(TEXTS[::-1])
    assert np.array_equal(one.probs, other.probs[::-1])
    answers = [find_answer(text, FakeSettings(LABELS)) for text in TEXTS]
    assert np.mean(pick_classes(one.probs) == answers) == pytest.approx(0.8, abs=0.03)
    assert np.allclose(one.probs.sum(axis=1), 1.0, atol=1e-6)


def test_fakes_of_other_seeds_disagree_by_their_noise(fake_folder: Callable[..., Path]) -> None:
    one, other = (pick_classes(_load(fake_folder(f"f{seed}", seed=seed)).predict(TEXTS).probs) for seed in (1, 2))
    assert np.mean(one == other) == pytest.approx(0.81 + 0.01 / 2, abs=0.03)


def test_fake_obeys_keywords(fake_folder: Callable[..., Path]) -> None:
    fake = _load(fake_folder(noise=0.0, keywords={"great": "positive", "awful": "negative"}))
    assert pick_classes(fake.predict(["a great day", "an awful day"]).probs).tolist() == [2, 0]


def test_fake_abstains_on_flawed_texts_with_a_reason(fake_folder: Callable[..., Path]) -> None:
    prediction = _load(fake_folder()).predict(["", "fine", "\ud800"])
    assert [reason is None for reason in prediction.reasons] == [False, True, False]
    assert pick_classes(prediction.probs)[[0, 2]].tolist() == [ABSTAIN, ABSTAIN]


@pytest.mark.parametrize(
    ("fault", "words"), [("nan_share", "no finite number"), ("outside_share", "none of the classes")]
)
def test_fake_faults_abstain_on_their_share(fake_folder: Callable[..., Path], fault: str, words: str) -> None:
    prediction = _load(fake_folder(**{fault: 0.25})).predict(TEXTS)
    reasons = [reason for reason in prediction.reasons if reason]
    assert len(reasons) / len(TEXTS) == pytest.approx(0.25, abs=0.03)
    assert all(words in reason for reason in reasons)
    assert np.isnan(prediction.probs).all(axis=1).sum() == len(reasons)


def test_fake_crashes_at_the_calls_it_is_told(fake_folder: Callable[..., Path]) -> None:
    fake = _load(fake_folder(crash_from_call=2, crash_calls=1))
    fake.predict(["a"])
    with pytest.raises(SpecialistCrashed, match="crashed at call 2"):
        fake.predict(["a"])
    assert fake.predict(["a"]).reasons == (None,)


def test_fake_reports_progress_and_stops(fake_folder: Callable[..., Path]) -> None:
    seen: list[tuple[int, int]] = []
    fake = _load(fake_folder(delay_s=1e-9))
    fake.predict(TEXTS[:300], on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(256, 300), (300, 300)]
    with pytest.raises(PredictionStopped):
        fake.predict(TEXTS, should_stop=lambda: True)


def test_load_refuses_what_does_not_fit(fake_folder: Callable[..., Path]) -> None:
    with pytest.raises(BadLabelMap, match="other labels"):
        _load(fake_folder(), labels=("a", "b", "c"))
    with pytest.raises(BadLabelMap, match="class that does not exist"):
        _load(fake_folder(), targets=(0, 1, 3))
    with pytest.raises(BadInput, match="no backend 'jax': choose one of fake, linear, script, torch"):
        load_specialist("jax", SpecialistSpec(fake_folder(), LabelMap(LABELS, (0, 1, 2)), 3))
