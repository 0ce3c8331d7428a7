"""Agreement: published tables, values of peer libraries, properties, and what has no value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from annotator_core.agreement import FEWEST, REASONS, Agreement, cohen_kappa, fleiss_kappa, krippendorff_alpha
from annotator_core.errors import BadInput
from annotator_core.types import ABSTAIN

COEFFICIENTS = [cohen_kappa, fleiss_kappa, krippendorff_alpha]
ANSWERS = hnp.arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 5)), elements=st.integers(ABSTAIN, 3))


def from_counts(counts: list[list[int]]) -> np.ndarray:
    return np.array([np.repeat(np.arange(len(row)), row) for row in counts])


def from_digits(lines: str, gap: str = "*") -> np.ndarray:
    return np.array([[ABSTAIN if sign == gap else int(sign) for sign in line] for line in lines.split()])


# Fleiss (1971), table 1, as statsmodels 0.15.0 carries it: 30 patients, 6 psychiatrists, 5 diagnoses.
DIAGNOSES = from_digits(
    "444444 222555 233335 555555 222444 113333 333355 113334 114444 555555 144444 124444 222333 144444 224445 "
    "333335 111455 111112 224444 133555 555555 244444 224555 114444 144445 222224 111155 224444 133333 555555"
)
# The example of Wikipedia's "Fleiss' kappa": 10 subjects, 14 raters.
SUBJECTS = from_counts([
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
])  # fmt: skip
# Krippendorff (2011), section C: four observers (a line each), twelve units, missing answers.
OBSERVERS = from_digits("123321412*** 1233224125*3 *3332342251* 12332441251*").T


def test_fleiss_kappa_of_the_first_published_table() -> None:
    found = fleiss_kappa(DIAGNOSES)
    # statsmodels 0.15.0: 0.43024452006014074; Fleiss (1971) gives .430.
    assert found.value == pytest.approx(0.43024452006014074, abs=1e-12)
    assert (found.n_items, found.n_raters) == (30, 6)


def test_fleiss_kappa_of_a_second_table() -> None:
    assert fleiss_kappa(SUBJECTS).value == pytest.approx(0.210, abs=5e-4)


def test_fleiss_kappa_where_items_have_different_numbers_of_answers() -> None:
    # By hand: items aab, aa, bb, a (left out): P = 1/3, 1, 1; p_a = 4/7, p_b = 3/7.
    answers = np.array([[0, 0, 1], [0, 0, ABSTAIN], [1, ABSTAIN, 1], [0, ABSTAIN, ABSTAIN]])
    expected = (16 + 9) / 49
    assert fleiss_kappa(answers).value == pytest.approx((7 / 9 - expected) / (1 - expected))


def test_krippendorff_alpha_of_its_authors_example() -> None:
    found = krippendorff_alpha(OBSERVERS)
    assert found.value == pytest.approx(0.743, abs=5e-4)
    # The twelfth unit has one answer: it pairs with nothing.
    assert (found.n_items, found.n_raters) == (11, 4)


def test_krippendorff_alpha_of_a_peer() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, (40, 1))
    answers = np.where(rng.random((40, 5)) < 0.6, truth, rng.integers(0, 4, (40, 5)))
    answers[rng.random((40, 5)) < 0.3] = ABSTAIN
    # krippendorff 0.9.0 on the same numbers.
    assert krippendorff_alpha(answers).value == pytest.approx(0.3552412861669523, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_cohen_kappa_is_that_of_a_peer(seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    answers = np.random.default_rng(seed).integers(0, 2 + seed % 4, (3 + 2 * seed, 2))
    assert cohen_kappa(answers, draws=5).value == pytest.approx(cohen_kappa_score(answers[:, 0], answers[:, 1]))


def test_cohen_kappa_leaves_out_what_one_has_not_answered() -> None:
    answers = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1], [0, ABSTAIN]], [20, 5, 10, 15, 7], axis=0)
    found = cohen_kappa(answers)
    assert (found.value, found.n_items) == (pytest.approx(0.4), 50)


def test_cohen_kappa_of_three_raters_is_refused() -> None:
    with pytest.raises(BadInput, match="take Fleiss or Krippendorff"):
        cohen_kappa(np.zeros((4, 3), dtype=np.int64))


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize(
    ("answers", "why", "n_items", "n_raters"),
    [
        ([[0, ABSTAIN], [1, ABSTAIN]], "one_rater", 0, 1),
        ([[0, ABSTAIN], [ABSTAIN, 1]], "no_overlap", 0, 2),
        ([[1, 1], [1, 1], [0, ABSTAIN]], "one_category", 2, 2),
        (np.empty((0, 2)), "one_rater", 0, 0),
    ],
)
def test_agreement_without_a_value_says_why(coefficient, answers, why: str, n_items: int, n_raters: int) -> None:
    found = coefficient(np.asarray(answers, dtype=np.int64))
    assert found == Agreement(None, None, None, n_items, n_raters, why)
    assert REASONS[why].endswith(".")


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize("n_items", [1, 2, FEWEST - 1])
def test_agreement_of_few_items_has_no_interval(coefficient, n_items) -> None:
    found = coefficient(np.resize([[0, 1], [0, 0], [1, 1]], (n_items, 2)))
    assert found.value is not None
    assert (found.low, found.high, found.n_items) == (None, None, n_items)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_agreement_of_enough_items_has_an_interval(coefficient) -> None:
    found = coefficient(np.resize([[0, 1], [0, 0], [1, 1]], (FEWEST, 2)))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize("times", [10, 1_000])
def test_agreement_of_people_who_always_agree_is_one_without_an_interval(coefficient, times) -> None:
    """However many items: no draw of them holds one on which the two differ."""
    found = coefficient(np.repeat([[0, 0], [1, 1], [2, 2]], times, axis=0))
    assert (found.value, found.low, found.high) == (pytest.approx(1.0), None, None)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_agreement_draws_of_one_category_are_left_out(coefficient) -> None:
    # One item of 30 has the other class: a third of the draws lack it, and agreement by chance then is all there is.
    answers = np.zeros((FEWEST, 2), dtype=np.int64)
    answers[0] = [0, 1]
    answers[1] = [1, 1]
    found = coefficient(answers, draws=200)
    assert -1.0 <= found.low < found.value < found.high <= 1.0


def test_agreement_without_a_draw_that_has_a_value_has_no_interval() -> None:
    answers = np.zeros((FEWEST, 2), dtype=np.int64)
    answers[0] = [1, 1]
    # Of 30 draws with this seed the first holds the one item of the other class not once.
    seed = next(s for s in range(20) if np.random.default_rng(s).multinomial(FEWEST, [29 / 30, 1 / 30])[1] == 0)
    assert krippendorff_alpha(answers, draws=1, seed=seed).low is None


@pytest.mark.parametrize("coefficient", [fleiss_kappa, krippendorff_alpha])
def test_agreement_by_chance_is_none(coefficient) -> None:
    found = coefficient(np.random.default_rng(2).integers(0, 3, (400, 4)))
    assert found.low < 0.0 < found.high


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_agreement_interval_covers(coefficient) -> None:
    # Two raters, right with 0.8 each, else of the other class: po = .68, pe = .5, each coefficient .36 in the long run.
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 2, (200, 150, 1))
    answers = np.where(rng.random((200, 150, 2)) < 0.8, truth, 1 - truth)
    found = [coefficient(each, draws=200) for each in answers]
    covered = sum(each.low <= 0.36 <= each.high for each in found)
    assert covered >= 200 * 0.95 - 3 * (200 * 0.05 * 0.95) ** 0.5


def test_agreement_in_blocks_is_as_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = krippendorff_alpha(DIAGNOSES)
    monkeypatch.setattr("annotator_core.agreement._BLOCK", 700)
    blocks = krippendorff_alpha(DIAGNOSES)
    assert (blocks.low, blocks.high) == (whole.low, whole.high)


@settings(deadline=None)
@given(ANSWERS, st.randoms(use_true_random=False))
def test_permuting_items_raters_and_classes_changes_no_value(answers: np.ndarray, rng) -> None:
    items, raters, names = list(range(answers.shape[0])), list(range(answers.shape[1])), list(range(4))
    for order in (items, raters, names):
        rng.shuffle(order)
    other = np.array([*names, ABSTAIN])[answers][items][:, raters]
    for coefficient in COEFFICIENTS[answers.shape[1] != 2 :]:
        one, two = coefficient(answers, draws=1), coefficient(other, draws=1)
        assert (one.n_items, one.why_undefined) == (two.n_items, two.why_undefined)
        assert two.value == (None if one.value is None else pytest.approx(one.value, abs=1e-12))


@settings(deadline=None)
@given(ANSWERS, st.randoms(use_true_random=False))
def test_permuting_items_and_raters_changes_no_interval(answers: np.ndarray, rng) -> None:
    items, raters = list(range(answers.shape[0])), list(range(answers.shape[1]))
    for order in (items, raters):
        rng.shuffle(order)
    for coefficient in COEFFICIENTS[answers.shape[1] != 2 :]:
        assert coefficient(answers, draws=20) == coefficient(answers[items][:, raters], draws=20)


def test_cohen_kappa_does_not_ask_who_was_named_first() -> None:
    # Ten kinds, some as often as their mirror image and some not.
    rng = np.random.default_rng(6)
    answers = np.append(rng.integers(0, 4, (60, 2)), [[0, 1], [1, 0], [2, 3], [2, 3], [3, 2]], axis=0)
    one, other = cohen_kappa(answers), cohen_kappa(answers[:, ::-1])
    assert (one.value, one.low, one.high) == (other.value, other.low, other.high)
    assert one.low < one.value < one.high


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_equal_seeds_give_equal_intervals(coefficient) -> None:
    assert coefficient(DIAGNOSES[:, :2], seed=9) == coefficient(DIAGNOSES[:, :2], seed=9)
    assert coefficient(DIAGNOSES[:, :2], seed=9) != coefficient(DIAGNOSES[:, :2], seed=8)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize(
    ("answers", "options"),
    [
        (np.zeros(3, int), {}),
        (np.full((3, 2), -2), {}),
        (np.zeros((3, 2), int), {"draws": 0}),
        (np.zeros((3, 2), int), {"confidence": 1}),
    ],
)
def test_agreement_of_what_are_no_answers_is_refused(coefficient, answers: np.ndarray, options: dict) -> None:
    with pytest.raises(BadInput):
        coefficient(answers, **options)
