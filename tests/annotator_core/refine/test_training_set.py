"""Gate rows, replay and draws: by text hash, in the shares asked for, stable when rows are added."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.refine.training_set import draw_by_hash, gate_half, replay_count
from annotator_core.texts import hash_text

HASHES = [hash_text(f"text number {number}") for number in range(20_000)]
HASH_SETS = st.sets(st.integers(0, 10_000), max_size=60).map(lambda numbers: [HASHES[number] for number in numbers])


def test_a_fifth_is_for_the_gate_and_two_thirds_of_it_decide() -> None:
    counts = Counter(gate_half(text_hash) for text_hash in HASHES)
    assert counts.keys() == {"choose", "decide", None}
    assert abs(counts["choose"] - 1_333) < 110
    assert abs(counts["decide"] - 2_667) < 150


def test_gate_half_does_not_depend_on_the_audit_frame() -> None:
    """The frame is the smallest hashes: as many of them are gate rows as of all others."""
    frame = Counter(gate_half(text_hash) for text_hash in sorted(HASHES)[:4_000])
    assert abs(frame["choose"] - 267) < 55
    assert abs(frame["decide"] - 533) < 75


def test_gate_half_looks_at_the_last_digits_only() -> None:
    assert [gate_half("f" * 24 + ending) for ending in ("0000000f", "00000001", "00000002", "00000003")] == [
        "choose",
        "decide",
        "decide",
        None,
    ]
    assert gate_half("0" * 24 + "00000001") == "decide"


@pytest.mark.parametrize(
    ("pool_rows", "share", "expected"), [(1_000, 0.2, 250), (0, 0.2, 0), (100, 0.0, 0), (300, 0.5, 300), (3, 0.2, 1)]
)
def test_replay_count(pool_rows: int, share: float, expected: int) -> None:
    assert replay_count(pool_rows, share) == expected


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_replay_count_refuses_a_share(share: float) -> None:
    with pytest.raises(BadInput, match="The replayed share must be at least 0 and below 1"):
        replay_count(100, share)


def test_draw_by_hash_is_seeded_and_uniform() -> None:
    draws = [draw_by_hash(HASHES[:100], 10, seed) for seed in range(300)]
    counts = Counter(text_hash for drawn in draws for text_hash in drawn)
    assert draws[0] == draw_by_hash(reversed(HASHES[:100]), 10, 0)
    assert draws[0] != draws[1]
    assert (len(counts), sum(counts.values())) == (100, 3_000)
    assert max(counts.values()) < 60


def test_draw_by_hash_takes_all_where_there_are_fewer() -> None:
    assert sorted(draw_by_hash(HASHES[:3] * 2, 10, 0)) == sorted(HASHES[:3])


def test_draw_by_hash_refuses_a_negative_count() -> None:
    with pytest.raises(BadInput, match="must not be negative, not -1"):
        draw_by_hash(HASHES, -1, 0)


@given(HASH_SETS, HASH_SETS, st.integers(0, 30))
def test_draw_by_hash_is_stable_when_candidates_are_added(first: list[str], added: list[str], count: int) -> None:
    before, after = draw_by_hash(first, count, 7), draw_by_hash(first + added, count, 7)
    kept = [text_hash for text_hash in after if text_hash in set(first)]
    assert kept == before[: len(kept)]
