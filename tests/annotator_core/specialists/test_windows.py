"""Windows, equal texts once, and batches that shrink around a failure."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.specialists.windows import Budget, Failed, dedupe, look_ahead, run_batches, split_windows

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=60)


def test_windows_are_bounded_by_rows() -> None:
    assert [len(window) for window in split_windows(["x"] * 40_000)] == [16_384, 16_384, 7_232]
    assert list(split_windows([])) == []


def test_windows_are_bounded_by_characters_but_hold_at_least_one_text() -> None:
    texts = ["x" * 3_000_000, "x" * 3_000_000, "x" * 9_000_000, "", "x"]
    assert list(split_windows(texts)) == [texts[:1], texts[1:2], texts[2:3], texts[3:]]


@given(st.lists(st.sampled_from("abc")))
def test_dedupe_can_be_undone(texts: list[str]) -> None:
    distinct, inverse = dedupe(texts)
    assert len(set(distinct)) == len(distinct)
    assert [distinct[slot] for slot in inverse] == texts


def test_budget_is_halved_for_small_windows() -> None:
    assert (Budget(2_048).for_window(4_096), Budget(2_048).for_window(4_095)) == (2_048, 1_024)


@given(LENGTHS, st.integers(2, 100), st.sets(st.integers(0, 59)))
def test_batches_give_each_row_once_and_isolate_the_bad(lengths: list[int], tokens: int, bad: set[int]) -> None:
    seen: dict[int, bool] = {}

    def forward(rows: np.ndarray) -> np.ndarray | Failed:
        sizes = [lengths[row] for row in rows]
        assert len(rows) == 1 or len(rows) * max(sizes) <= tokens
        return Failed("bad", is_memory=False) if bad & set(rows.tolist()) else np.ones((len(rows), 2), np.float32)

    for rows, outcome in run_batches(forward, np.array(lengths), Budget(2 * tokens)):
        seen |= {int(row): isinstance(outcome, Failed) for row in rows} if not seen.keys() & set(rows.tolist()) else {}
    assert seen == {row: row in bad for row in range(len(lengths))}


def test_batches_go_from_long_to_short() -> None:
    batches = [rows.tolist() for rows, _ in run_batches(lambda rows: rows, np.array([1, 9, 2, 8]), Budget(20))]
    assert batches == [[1], [3], [2, 0]]


def test_running_out_of_memory_halves_the_budget_for_good() -> None:
    budget, tried = Budget(64), []

    def forward(rows: np.ndarray) -> np.ndarray | Failed:
        tried.append(len(rows))
        return Failed("full", is_memory=True) if len(rows) > 2 else np.ones((len(rows), 2), np.float32)

    assert sum(len(rows) for rows, _ in run_batches(forward, np.array([4] * 10), budget)) == 10
    assert tried == [8, 4, 2, 2, 2, 2, 2]
    assert budget.tokens == 16


def test_budget_never_vanishes() -> None:
    budget = Budget(2)
    budget.halve()
    assert budget.tokens == 2


def test_look_ahead_makes_the_next_in_a_thread_while_one_is_used() -> None:
    seen: list[str] = []
    made = threading.Semaphore(0)

    def make(item: str) -> str:
        seen.append(f"made {item} in {threading.current_thread() is threading.main_thread()}")
        made.release()
        return item.upper()

    for item, result in look_ahead(iter("abc"), make):
        # What comes next is made before this one is done with.
        assert made.acquire(timeout=10)
        seen.append(f"used {item}{result}")
    assert sorted(seen) == [*(f"made {item} in False" for item in "abc"), "used aA", "used bB", "used cC"]
    assert seen.index("made b in False") < seen.index("used bB")


def test_look_ahead_of_nothing_is_nothing_and_errors_come_in_their_place() -> None:
    assert list(look_ahead([], str)) == []
    got: list[tuple[int, float]] = []
    with pytest.raises(ZeroDivisionError):
        got.extend(look_ahead([1, 2, 0, 4], lambda number: 1 / number))
    assert got == [(1, 1.0), (2, 0.5)]


def test_what_is_no_string_stays_in_its_window_and_counts_for_nothing() -> None:
    texts = ["x" * 3_000_000, None, float("nan"), "y" * 1_000_000, "z"]
    assert list(split_windows(texts)) == [texts[:4], texts[4:]]
