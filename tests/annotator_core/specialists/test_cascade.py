"""The margin cascade: labels of the exact model, by scripted runners, tiny models, the demo's and a fine-tuned one."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from annotator_core.consensus.average import has_voted, pick_classes
from annotator_core.specialists.cascade import SAMPLE_ROWS, Cascade
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.mapping import find_margins
from annotator_core.specialists.runner import Runtime
from annotator_core.specialists.tokens import TokenisedTexts
from annotator_core.specialists.torch_backend import TorchSpecialist, load
from annotator_core.specialists.windows import Failed
from annotator_core.types import LabelMap
from tests.annotator_core.conftest import LABELS, SENTENCE
from tests.annotator_core.specialists.test_torch_backend import fill_word, spoil_weights

DEMO = Path(__file__).resolve().parents[3] / "annotator_core" / "demo"
NO_TOKENS = TokenisedTexts({}, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_), {})
ORDER = LabelMap(("a", "b"), (0, 1))


class _Scripted:
    """A runner with an answer for each row, in batches of 100; it counts the rows that it was asked."""

    n_labels = 2

    def __init__(self, logits: np.ndarray, failing: tuple[int, ...] = ()) -> None:
        self._logits, self._failing, self.asked = logits.astype(np.float32), failing, []

    def run(self, _tokens: TokenisedTexts, rows: np.ndarray):
        self.asked += rows.tolist()
        good = rows[~np.isin(rows, self._failing)]
        yield from ((part, self._logits[part]) for part in np.array_split(good, range(100, len(good), 100)))
        yield from ((np.array([row]), Failed("broken", is_memory=False)) for row in rows if row in self._failing)


def _logits(n: int) -> np.ndarray:
    """Margins spread evenly from -2 to 2."""
    margins = np.random.default_rng(0).permutation(np.linspace(-2, 2, n))
    return np.stack([margins / 2, -margins / 2], axis=1)


def _make(quick: _Scripted, exact: _Scripted) -> Cascade:
    return Cascade(quick, lambda: exact, lambda logits: find_margins(logits, ORDER, 2))


def _run(cascade: Cascade, n: int) -> tuple[np.ndarray, dict[int, Failed]]:
    logits, failures = np.full((n, 2), np.nan, np.float32), {}
    for rows, outcome in cascade.run(NO_TOKENS, np.arange(n)):
        assert np.isnan(logits[rows]).all()
        if isinstance(outcome, Failed):
            failures[int(rows[0])] = outcome
        else:
            logits[rows] = outcome
    return logits, failures


def _shaken(logits: np.ndarray, by: float) -> np.ndarray:
    return logits + np.random.default_rng(1).uniform(-by, by, logits.shape)


def test_every_row_is_answered_once_with_the_exact_label() -> None:
    exact = _logits(4_000)
    cascade = _make(_Scripted(_shaken(exact, 0.02)), _Scripted(exact))
    logits, failures = _run(cascade, 4_000)
    assert (logits.argmax(1).tolist(), failures) == (exact.argmax(1).tolist(), {})
    assert 0.03 < cascade.threshold <= 0.04
    assert SAMPLE_ROWS < cascade.exact_rows < SAMPLE_ROWS + 120


def test_the_exact_model_is_loaded_when_the_first_row_comes() -> None:
    loaded = []
    cascade = Cascade(
        _Scripted(_logits(9)),
        lambda: loaded.append(1) or _Scripted(_logits(9)),
        lambda logits: find_margins(logits, ORDER, 2),
    )
    assert (list(cascade.run(NO_TOKENS, np.arange(0))), loaded) == ([], [])
    _run(cascade, 9)
    _run(cascade, 9)
    assert loaded == [1]


def test_small_windows_run_both_ways_until_the_sample_is_full() -> None:
    exact = _Scripted(_logits(100))
    cascade = _make(_Scripted(_shaken(_logits(100), 0.02)), exact)
    for _window in range(4):
        _run(cascade, 100)
    assert len(exact.asked) < SAMPLE_ROWS + 100 * 0.1
    assert exact.asked[:200] == [*range(100), *range(100)]


def test_the_threshold_stays_once_the_sample_is_full() -> None:
    cascade = _make(_Scripted(_shaken(_logits(4_000), 0.02)), _Scripted(_logits(4_000)))
    _run(cascade, 4_000)
    threshold, rows = cascade.threshold, cascade.exact_rows
    _run(cascade, 4_000)
    assert (cascade.threshold, cascade.exact_rows < 2 * rows - SAMPLE_ROWS + 50) == (threshold, True)


def test_equal_runs_give_equal_bytes() -> None:
    exact = _logits(1_000)
    one, two = (_run(_make(_Scripted(_shaken(exact, 0.1)), _Scripted(exact)), 1_000)[0] for _ in range(2))
    assert one.tobytes() == two.tobytes()


def _run_windows(cascade: Cascade, windows: list[np.ndarray]) -> np.ndarray:
    logits = np.full((1_000, 2), np.nan, np.float32)
    for window in windows:
        for rows, outcome in cascade.run(NO_TOKENS, window):
            logits[rows] = outcome
    return logits


# The sample of 256 rows is begun, is full within the next window, is full; or the quick runner was let go.
@pytest.mark.parametrize(("stop", "by"), [(1, 0.02), (2, 0.02), (5, 0.02), (5, 0.9)])
def test_another_one_that_takes_its_state_answers_as_it_would(stop: int, by: float) -> None:
    exact, windows = _logits(1_000), np.array_split(np.arange(1_000), 10)
    quick = _shaken(exact, by)
    whole = _run_windows(_make(_Scripted(quick), _Scripted(exact)), windows)
    first, second = (_make(_Scripted(quick), _Scripted(exact)) for _ in range(2))
    logits = _run_windows(first, windows[:stop])
    second.take_state(json.loads(json.dumps(first.to_state())))
    rest = _run_windows(second, windows[stop:])
    assert np.where(np.isnan(logits), rest, logits).tobytes() == whole.tobytes()
    assert (whole == exact.astype(np.float32)).all() == (by > 0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_without_a_finite_quick_answer_are_decided_by_the_exact_one(bad: float) -> None:
    exact, quick = _logits(2_000), _shaken(_logits(2_000), 0.01)
    quick[::10] = bad
    exact[::20] = np.nan
    logits, _failures = _run(_make(_Scripted(quick), _Scripted(exact)), 2_000)
    assert np.array_equal(np.isnan(logits), np.isnan(exact))
    assert np.nanargmax(np.nan_to_num(logits), 1).tolist() == np.nanargmax(np.nan_to_num(exact), 1).tolist()


def test_a_row_that_fails_quickly_is_asked_exactly_and_fails_there_or_not() -> None:
    exact = _logits(1_000)
    logits, failures = _run(_make(_Scripted(exact, failing=(3, 7)), _Scripted(exact, failing=(7,))), 1_000)
    assert failures == {7: Failed("broken", is_memory=False)}
    assert np.isnan(logits[:, 0]).nonzero()[0].tolist() == [7]


def test_rows_that_fail_in_the_sample_leave_the_threshold_to_the_others() -> None:
    exact = _logits(100)
    cascade = _make(_Scripted(_shaken(exact, 0.02), failing=(3, 7)), _Scripted(exact, failing=(7,)))
    logits, failures = _run(cascade, 100)
    assert failures == {7: Failed("broken", is_memory=False)}
    assert np.array_equal(np.delete(logits, 7, 0), np.delete(exact, 7, 0).astype(np.float32))
    assert 0.02 < cascade.threshold <= 0.04


def test_a_model_without_a_finite_answer_is_asked_exactly() -> None:
    cascade = _make(_Scripted(np.full((900, 2), np.nan)), _Scripted(np.full((900, 2), np.nan)))
    logits, _failures = _run(cascade, 900)
    assert np.isnan(logits).all()
    assert (cascade.threshold, cascade.exact_rows) == (np.inf, 900)


def test_a_quick_model_that_leaves_half_in_doubt_is_let_go() -> None:
    quick, exact = _Scripted(_shaken(_logits(2_000), 0.9)), _Scripted(_logits(2_000))
    logits, _failures = _run(_make(quick, exact), 2_000)
    assert np.array_equal(logits, _logits(2_000).astype(np.float32))
    assert (len(quick.asked), len(exact.asked)) == (SAMPLE_ROWS, 2_000)


def _load_both(folder: Path) -> tuple[TorchSpecialist, TorchSpecialist]:
    labels = inspect_folder(folder).labels
    spec = SpecialistSpec(folder, LabelMap(labels, tuple(range(len(labels)))), len(labels), max_length=128)
    return load(spec, Runtime(precision="bf16", device="cpu")), load(spec, Runtime(precision="fp32", device="cpu"))


def _count_other_labels(folder: Path, texts: list[str]) -> int:
    quick, exact = (specialist.predict(texts).probs for specialist in _load_both(folder))
    assert has_voted(quick).all()
    # Otherwise nothing was quick.
    assert not np.array_equal(quick, exact)
    return int((pick_classes(quick) != pick_classes(exact)).sum())


def _read_texts(path: Path, limit: int) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)][:limit]


@pytest.mark.parametrize("name", ["overall", "courier", "checkout"])
def test_the_demos_models_keep_their_labels_in_bf16(name: str) -> None:
    assert _count_other_labels(DEMO / "specialists" / name, _read_texts(DEMO / "training.csv", 1_500)) == 0


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_flawed_and_spoiled_texts_abstain_as_in_fp32(classifier: Path, precision: str) -> None:
    spoil_weights(classifier, fill_word("awful", float("nan")))
    spec = SpecialistSpec(classifier, LabelMap(LABELS, (0, 1, 2)), 3)
    words = SENTENCE.split()
    texts = ["", " ".join(words * 2), *(f"{one} {two}" for one in words for two in words)]
    quick, exact = (load(spec, Runtime(kind, "cpu")).predict(texts) for kind in (precision, "fp32"))
    assert (quick.reasons, quick.truncated) == (exact.reasons, exact.truncated)
    assert pick_classes(quick.probs).tolist() == pick_classes(exact.probs).tolist()
