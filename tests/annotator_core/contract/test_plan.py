"""How many rows an audit needs: the reference's figures, the power they give, and what cannot be reached."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from annotator_core.contract.bounds import exact_upper
from annotator_core.contract.certify import certify
from annotator_core.contract.plan import AuditPlan, explain_plan, plan_audit, price_of, rows_needed
from annotator_core.errors import BadInput

REFERENCE = [(0.05, 0.02, 234), (0.05, 0.03, 660), (0.1, 0.05, 180), (0.02, 0.005, 386)]


def power_of(target: float, true: float, rows: int) -> float:
    wrong = np.arange(rows + 1)
    passes = exact_upper(wrong, np.full(rows + 1, rows), confidence=0.95) <= target
    return float(binom.pmf(wrong[passes], rows, true).sum())


@pytest.mark.parametrize(("target", "true", "rows"), REFERENCE)
def test_rows_needed_reproduces_the_reference(target: float, true: float, rows: int) -> None:
    assert rows_needed(target, true) == rows


@pytest.mark.parametrize(("target", "true", "rows"), REFERENCE)
def test_rows_needed_has_its_power_and_the_number_tried_before_has_not(target: float, true: float, rows: int) -> None:
    before = rows - (2 if rows <= 500 else 20)
    assert power_of(target, true, rows) >= 0.8 > power_of(target, true, before)


def test_rows_needed_for_labels_that_are_never_wrong() -> None:
    # 59 rows without a wrong one: 0.95^59 = 0.0485; the next even number.
    assert rows_needed(0.05, 0.0) == 60


@pytest.mark.parametrize("true", [0.05, 0.2, 0.0499])
def test_rows_needed_is_none_where_no_number_would_do(true: float) -> None:
    assert rows_needed(0.05, true) is None


@pytest.mark.parametrize("shares", [(0.0, 0.0), (1.0, 0.1), (0.05, -0.1), (0.05, 1.1)])
def test_rows_needed_of_no_shares_is_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(BadInput, match="between 0 and 1"):
        rows_needed(*shares)


def test_plan_audit_adds_the_fitting_third_and_the_rows_outside_the_set() -> None:
    # One test takes 312 rows in the set, 624 in all; the walk 1.05^7 times as many.
    assert rows_needed(0.05, 0.02, confidence=0.975) == 312
    assert plan_audit(0.05, 0.02, frame_texts=2_000, accepted_share=0.5) == AuditPlan(
        set_rows=440, certify_rows=879, total_rows=1_319, frame_texts=2_000, why="reachable"
    )


def test_plan_audit_without_a_fit_certifies_with_all() -> None:
    plan = plan_audit(0.05, 0.02, frame_texts=399, is_unfitted=True)
    assert (plan.certify_rows, plan.total_rows, plan.is_reachable) == (399, 399, True)
    assert not plan_audit(0.05, 0.02, frame_texts=398, is_unfitted=True).is_reachable


@pytest.mark.parametrize(("target", "true", "share"), [(0.05, 0.02, 1.0), (0.1, 0.05, 1.0), (0.05, 0.02, 0.5)])
def test_four_of_five_audits_of_the_planned_size_accept_what_was_hoped(target, true, share) -> None:
    rng = np.random.default_rng(3)

    def share_that_arrives(answers: int) -> float:
        done = 0
        for _ in range(300):
            scores = rng.random(rng.binomial(answers, 2 / 3))
            is_right = rng.random(len(scores)) >= np.where(scores > 1 - share, 2 * true * (1 - scores) / share, 0.5)
            least = len(scores) if share == 1.0 else (share - 0.05) * len(scores)
            done += certify(scores, is_right, target_error=target).rows_accepted >= least
        return done / 300

    planned = plan_audit(target, true, frame_texts=0, accepted_share=share).total_rows
    one_test = math.ceil(rows_needed(target, true, confidence=0.975) / share * 3 / 2)
    assert share_that_arrives(planned) > 0.75 > share_that_arrives(one_test)


def test_plan_audit_for_labels_that_are_no_better_than_the_target_is_none() -> None:
    assert plan_audit(0.05, 0.05, frame_texts=9) == AuditPlan(None, None, None, 9, "too_many_errors")


def test_plan_audit_gives_up_where_no_number_tried_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotator_core.contract.plan._TRIES", 1)
    assert plan_audit(0.05, 0.02, frame_texts=9, confidence=0.951).total_rows is None


@pytest.mark.parametrize(
    ("true", "frame", "words"),
    [
        (
            0.02,
            2_000,
            "Reachable with 629 answers (419 that certify, the others fit); there are 2000 texts to draw from.",
        ),
        (0.02, 300, "Not reachable: it takes 629 answers"),
        (0.06, 300, "Not reachable: the labels are expected to be no better than the target"),
    ],
)
def test_explain_plan_says_what_stands_in_the_way(true: float, frame: int, words: str) -> None:
    plan = plan_audit(0.05, true, frame_texts=frame)
    assert plan.is_reachable is words.startswith("Reachable")
    assert explain_plan(plan).startswith(words)


@pytest.mark.parametrize(("share", "frame"), [(0.0, 10), (1.1, 10), (0.5, -1)])
def test_plan_audit_of_no_share_is_refused(share: float, frame: int) -> None:
    with pytest.raises(BadInput, match="cannot be planned"):
        plan_audit(0.05, 0.02, frame_texts=frame, accepted_share=share)


@pytest.mark.parametrize(("rows", "price"), [(-1, 0.1), (5, -0.1), (5, float("nan"))])
def test_price_of_what_has_none_is_refused(rows: int, price: float) -> None:
    with pytest.raises(BadInput, match="have no price"):
        price_of(rows, price)


def test_price_of_rows_is_their_number_times_the_price() -> None:
    assert price_of(200, 0.25) == 50.0
