"""The gate: hand-computed tables, properties, and the bootstrap against brute force and an exact case."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.refine.gate import Change, GateResult, choose, judge, resample_difference
from annotator_core.types import ABSTAIN

NAMES = ("bad", "good")
VOTES = st.lists(st.tuples(*[st.integers(-1, 1)] * 2, st.integers(0, 1)), min_size=1, max_size=40)


def table(*cells: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Votes of champion and challenger and gold, from (champion, challenger, gold, times)."""
    rows = [cell[:3] for cell in cells for _ in range(cell[3])]
    champion, challenger, gold = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return champion, challenger, gold


def run(*cells: tuple[int, int, int, int], **settings: object) -> GateResult:
    return run_table(table(*cells), **settings)


def run_table(votes: tuple[np.ndarray, np.ndarray, np.ndarray], **settings: object) -> GateResult:
    return judge(*votes, class_names=NAMES, **settings)


def test_judge_a_clearly_better_challenger() -> None:
    result = run((1, 1, 1, 40), (0, 0, 0, 40), (0, 1, 1, 20), (ABSTAIN, 0, 0, 10))
    assert (result.verdict, result.rows, result.p_better, result.fallen) == ("better", 110, 1.0, ())
    assert (result.champion_accuracy, result.challenger_accuracy) == (80 / 110, 1.0)
    assert result.changes == (Change("bad", 50, 40, 50), Change("good", 60, 40, 60))
    assert result.interval[0] > 0.15
    assert result.interval[1] < 0.40


def test_judge_identical_votes_are_not_better() -> None:
    result = run((1, 1, 1, 100), (0, 0, 1, 50))
    assert (result.verdict, result.p_better, result.interval, result.difference) == ("not_better", 0.0, (0.0, 0.0), 0.0)


LEARNED = ((ABSTAIN, 1, 1, 30), (1, 1, 1, 100))


def test_judge_names_the_class_that_falls() -> None:
    result = run(*LEARNED, (0, 1, 0, 12), (0, 0, 0, 8))
    assert (result.verdict, result.fallen) == ("falls", ("bad",))
    assert result.p_better > 0.9
    assert (result.changes[0].before, result.changes[0].after) == (1.0, 0.4)


def test_judge_a_corrected_bias_is_no_fall() -> None:
    """The champion said "bad" of 30 good rows: fewer bad ones are found now, but what is said of them is true."""
    result = run((0, 1, 1, 30), (1, 1, 1, 100), (0, 1, 0, 4), (0, 0, 0, 16))
    assert (result.verdict, result.fallen) == ("better", ())
    assert (result.changes[0].before, result.changes[0].after) == (1.0, 0.8)


@pytest.mark.parametrize(("lost", "margin", "fallen"), [(1, 0.05, ()), (2, 0.05, ("bad",)), (2, 0.5, ())])
def test_judge_a_fall_must_be_as_sure_as_a_promotion(lost: int, margin: float, fallen: tuple[str, ...]) -> None:
    assert run(*LEARNED, (0, 1, 0, lost), (0, 0, 0, 5 - lost), margin=margin).fallen == fallen


def test_falls_of_f1_equal_scikit_learn_on_drawn_rows() -> None:
    from sklearn.metrics import f1_score

    champion, challenger, gold = table((0, 1, 0, 9), (0, 0, 0, 20), (0, 1, 1, 15), (1, 0, 1, 4), (1, 1, 1, 60))
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(400):
        rows = rng.integers(0, len(gold), len(gold))
        after, before = (f1_score(gold[rows], votes[rows], pos_label=0) for votes in (challenger, champion))
        drawn.append(after - before)
    margin = -float(np.median(drawn))
    fallen = [run_table((champion, challenger, gold), margin=margin, p_needed=p).fallen for p in (0.4, 0.6)]
    assert fallen == [("bad",), ()]


def test_judge_names_the_slice_that_falls() -> None:
    slices = {"replay": np.arange(140) < 5, "rest": np.arange(140) >= 5}
    result = run((1, 0, 1, 3), (1, 1, 1, 107), (0, 1, 1, 30), slices=slices)
    assert (result.verdict, result.fallen) == ("falls", ("replay",))
    assert result.slice_changes == (Change("replay", 5, 5, 2), Change("rest", 135, 105, 135))


def test_judge_under_a_hundred_rows_gives_figures_and_no_promotion() -> None:
    cells = ((0, 1, 1, 50), (1, 1, 1, 49))
    assert (run(*cells).verdict, run(*cells).p_better) == ("too_few", 1.0)
    assert run(*cells, (1, 1, 1, 1)).verdict == "better"
    assert run(*cells, rows_needed=99).verdict == "better"


def test_judge_of_no_rows_is_too_few() -> None:
    result = run()
    assert (result.verdict, result.rows, result.p_better, result.interval) == ("too_few", 0, 0.0, (0.0, 0.0))
    assert (result.champion_accuracy, result.changes[0].before, result.changes[0].after) == (0.0, None, None)


def test_judge_an_abstention_is_never_right() -> None:
    assert run((ABSTAIN, ABSTAIN, 1, 100)).challenger_accuracy == 0.0


def test_judge_too_little_evidence_is_not_better() -> None:
    result = run((0, 1, 1, 6), (1, 0, 1, 5), (1, 1, 1, 100))
    assert (result.verdict, 0.5 < result.p_better < 0.7) == ("not_better", True)
    assert run((0, 1, 1, 6), (1, 0, 1, 5), (1, 1, 1, 100), p_needed=0.5).verdict == "better"


@given(VOTES)
def test_judge_swapped_mirrors_the_difference(rows: list[tuple[int, int, int]]) -> None:
    champion, challenger, gold = np.array(rows, dtype=np.int64).T
    one = judge(champion, challenger, gold, class_names=NAMES, repeats=20)
    other = judge(challenger, champion, gold, class_names=NAMES, repeats=20)
    assert one.difference == -other.difference
    assert [(change.before, change.after) for change in one.changes] == [
        (change.after, change.before) for change in other.changes
    ]


@given(VOTES)
def test_judge_does_not_depend_on_the_order_of_rows(rows: list[tuple[int, int, int]]) -> None:
    there, back = np.array(rows, dtype=np.int64).T, np.array(rows[::-1], dtype=np.int64).T
    assert judge(*there, class_names=NAMES, repeats=20) == judge(*back, class_names=NAMES, repeats=20)


def test_resample_difference_equals_brute_force() -> None:
    rng = np.random.default_rng(5)
    was, now = rng.random(120) < 0.7, rng.random(120) < 0.74
    rows = rng.integers(0, 120, size=(20_000, 120))
    brute = now[rows].mean(axis=1) - was[rows].mean(axis=1)
    ours = resample_difference(was, now, seed=1, repeats=20_000)
    assert abs((ours > 0).mean() - (brute > 0).mean()) < 0.015
    assert np.allclose(np.quantile(ours, [0.025, 0.5, 0.975]), np.quantile(brute, [0.025, 0.5, 0.975]), atol=0.01)


def test_resample_difference_equals_the_exact_case() -> None:
    """With one row won and none lost, P(better) is the chance that the row is drawn at all."""
    was, now = np.arange(100) > 0, np.ones(100, dtype=bool)
    ours = resample_difference(was, now, seed=1, repeats=50_000)
    assert abs((ours > 0).mean() - (1 - 0.99**100)) < 0.01


def test_judge_same_seed_gives_the_same_figures() -> None:
    cells = ((0, 1, 1, 9), (1, 0, 1, 5), (1, 1, 1, 100))
    assert run(*cells) == run(*cells)
    assert run(*cells).p_better != run(*cells, seed=1).p_better


def test_judge_refuses_other_lengths_and_unknown_classes() -> None:
    one, two = np.zeros(1, dtype=np.int64), np.zeros(2, dtype=np.int64)
    with pytest.raises(BadInput, match="The champion has 2 rows, but 1 are to be judged"):
        judge(two, one, one, class_names=NAMES)
    with pytest.raises(BadInput, match="The challenger has 2 rows"):
        judge(one, two, one, class_names=NAMES)
    with pytest.raises(BadInput, match="The slice 'replay' has 2 rows"):
        judge(one, one, one, class_names=NAMES, slices={"replay": two > 0})
    with pytest.raises(BadInput, match="Gate rows need a class index from 0 to 1 each"):
        judge(one, one, one + 2, class_names=NAMES)


def test_choose_takes_the_last_unless_another_is_clearly_better() -> None:
    gold = np.zeros(20, dtype=np.int64)
    last = np.array([0] * 10 + [1] * 10)
    luck = np.array([0] * 13 + [1] * 5 + [0] * 2)  # five rows more, all of them won: 5 > sqrt(5)
    even = np.array([1] * 8 + [0] * 12)  # two rows more, ten won and eight lost: 2 < sqrt(18)
    assert choose([even, last], gold) == 1
    assert choose([luck, even, last], gold) == 0
    assert choose([luck, luck, last], gold) == 1, "the latest of equals"
    assert choose([last, np.full(20, ABSTAIN)], gold) == 0
    assert choose([last], gold) == 0


def test_choose_without_rows_takes_the_last() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert choose([nothing, nothing, nothing], nothing) == 2


def test_choose_refuses_nothing_and_other_lengths() -> None:
    gold = np.array([0, 1])
    with pytest.raises(BadInput, match="There is no candidate to choose from"):
        choose([], gold)
    with pytest.raises(BadInput, match="The candidate has 1 rows"):
        choose([gold[:1]], gold)
