"""Forecasts by hand: price, hours, accuracy of the three modes, and one recommended with its reason."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.verifiers.contract import NANO
from annotator_core.verifiers.forecast import (
    MODES,
    Known,
    Llm,
    People,
    Rows,
    compare,
    compare_rules,
    join,
    list_options,
    price_all_by_llm,
)

ROWS = Rows(10_000, 4_000, Known(0.8, 200), Known(0.5, 100))
LLM = Llm(
    20_000, seconds_a_call=1.0, concurrency=10, right=Known(0.7, 100), abstains=Known(0.05, 60), unsure=Known(0.25, 60)
)
PEOPLE = People(9.0)
RULES = [replace(ROWS, n_hard=hard, n_left=4_000 - hard) for hard in (4_000, 1_500, 100, 0)]
"""Strictest first; under the last nothing is hard. Calls cost $0.08, $0.03, $0.002 and nothing."""
CENT = NANO // 100


def _choose(llm=LLM, people=PEOPLE, **wish):
    place, options = compare_rules(RULES, llm, people, **wish)
    (best,) = [option for option in options if option.is_recommended]
    return place, best


def _recommended(*args, **more):
    (found,) = [option for option in compare(*args, **more) if option.is_recommended]
    return found


def test_the_three_modes_by_hand():
    human, llm, both = compare(ROWS, LLM, PEOPLE)
    assert (human.human_rows, human.human_hours, human.llm_nano, human.calls) == (4000, 10.0, 0, 0)
    assert (llm.calls, llm.llm_nano, llm.human_rows, llm.human_hours) == (4000, 4000 * 20_000, 200, 0.5)
    assert (both.human_rows, both.human_hours) == (1000, 2.5)
    assert llm.llm_hours == pytest.approx(4000 / 10 / 3600)
    accuracies = [option.accuracy for option in (human, llm, both)]
    assert accuracies == pytest.approx([0.48 + 0.4, 0.48 + 0.4 * (0.05 + 0.95 * 0.7), 0.48 + 0.4 * (0.25 + 0.75 * 0.7)])


def test_people_may_have_a_price():
    human, llm, _both = compare(ROWS, LLM, replace(PEOPLE, usd_an_hour=12.0))
    assert (human.human_nano, human.total_nano) == (120 * NANO, 120 * NANO)
    assert llm.total_nano == 6 * NANO + llm.llm_nano
    assert compare(ROWS, LLM, PEOPLE)[0].human_nano is None


def test_what_a_figure_rests_on_is_said():
    assert compare(ROWS, LLM, PEOPLE)[1].rests_on == (
        "measured: accepted rows (200), the model's answers (100), rows it leaves to people (60); "
        "assumed: people (100%)"
    )
    assert compare(Rows(10, 4), Llm(1, is_fused=True), PEOPLE)[2].rests_on == (
        "assumed: accepted rows (75%), people (100%), the model's answers (67%), rows it leaves to people (30%), "
        "the pool on hard rows (49%)"
    )


def test_fusing_does_not_fall_below_the_pool():
    bad = replace(LLM, right=Known(0.3, 100))
    replaced, fused = (compare(ROWS, replace(bad, is_fused=is_fused), PEOPLE)[1] for is_fused in (False, True))
    assert replaced.accuracy == pytest.approx(0.48 + 0.4 * (0.05 + 0.95 * 0.3))
    assert fused.accuracy == pytest.approx(0.48 + 0.4 * (0.05 + 0.95 * 0.5))


def test_what_the_two_say_together_counts_where_it_was_measured():
    fused = replace(LLM, is_fused=True, fused=Known(0.9, 60))
    option = compare(ROWS, fused, PEOPLE)[1]
    assert option.accuracy == pytest.approx(0.48 + 0.4 * (0.05 + 0.95 * 0.9))
    assert "the two fused (60)" in option.rests_on
    replaced = compare(ROWS, replace(fused, is_fused=False), PEOPLE)[1]
    assert replaced.accuracy == pytest.approx(0.48 + 0.4 * (0.05 + 0.95 * 0.7))


def test_several_models_are_asked_one_after_the_other():
    dear = Llm(80_000, calls_a_row=3, seconds_a_call=2.0, concurrency=6, right=Known(0.9, 50), abstains=Known(0.15, 60))
    both = join([LLM, dear])
    assert (both.calls_a_row, both.nano_a_call) == (4, 65_000)
    assert (both.right, both.abstains.share) == (Known(pytest.approx(0.8), 50), pytest.approx(0.1))
    option = compare(ROWS, both, PEOPLE)[1]
    assert (option.calls, option.llm_nano) == (16_000, 4_000 * (20_000 + 3 * 80_000))
    assert option.llm_hours == pytest.approx(4_000 * (1 / 10 + 3 * 2 / 6) / 3600)
    assert join([LLM]) is LLM
    with pytest.raises(BadInput):
        join([])


@pytest.mark.parametrize(
    ("rows", "llm", "people", "limits", "mode", "words"),
    [
        (ROWS, None, PEOPLE, {}, "human", "No language model is connected"),
        (ROWS, LLM, PEOPLE, {}, "llm_then_human", "1,000 rows instead of 4,000 (2.5 h instead of 10.0 h) for $0.08"),
        (ROWS, Llm(20_000), PEOPLE, {}, "llm_then_human", "not known before 50 of them are answered"),
        (ROWS, replace(LLM, right=Known(0.4, 80)), PEOPLE, {}, "human", "right on 40% and the pool on 50%"),
        (ROWS, replace(LLM, right=Known(0.4, 80), is_fused=True), PEOPLE, {}, "llm_then_human", "alone the model"),
        (ROWS, replace(LLM, right=Known(0.99, 80)), PEOPLE, {}, "llm", "On 80 measured rows the model is right on 99%"),
        (replace(ROWS, n_hard=300), LLM, PEOPLE, {}, "human", "It is 45 min of work"),
        (ROWS, LLM, PEOPLE, {"cap_nano": 79_000_000}, "human", "above the cap of $0.08"),
        (ROWS, LLM, PEOPLE, {"cap_nano": 80_000_000}, "llm_then_human", "instead of"),
        (ROWS, LLM, PEOPLE, {"target": 0.75}, "llm", "reach 75.0%: $0.08 of calls and 30 min of human work"),
        (ROWS, LLM, PEOPLE, {"target": 0.78}, "llm_then_human", "reach 78.0%"),
        (ROWS, LLM, PEOPLE, {"target": 0.85}, "human", "reach 85.0%: 10.0 h of human work"),
        (ROWS, LLM, PEOPLE, {"target": 0.95}, "human", "No mode is expected to reach 95.0%"),
        (ROWS, replace(LLM, nano_a_call=9 * NANO), People(9.0, 1.0), {"target": 0.75}, "human", "75.0%"),
    ],
)  # fmt: skip
def test_one_mode_is_recommended_with_its_reason(rows, llm, people, limits, mode, words):
    found = _recommended(rows, llm, people, **limits)
    assert found.mode == mode
    assert words in found.reason


def test_rows_that_a_looser_rule_accepts_keep_the_pools_class():
    human = [list_options(rows, None, PEOPLE)[0].accuracy for rows in RULES]
    assert human == pytest.approx([0.48 + share * 1.0 + (0.4 - share) * 0.5 for share in (0.4, 0.15, 0.01, 0.0)])


@pytest.mark.parametrize(
    ("wish", "place", "mode", "words"),
    [
        ({}, 0, "llm_then_human", "1,000 rows instead of 4,000"),
        ({"cap_nano": 8 * CENT}, 0, "llm_then_human", "1,000 rows instead of 4,000"),
        ({"cap_nano": 8 * CENT - 1}, 1, "llm_then_human", "375 rows instead of 1,500"),
        ({"cap_nano": CENT}, 2, "llm_then_human", "25 rows instead of 100"),
        ({"cap_nano": CENT // 10}, 0, "human", "The calls would cost $0.08, above the cap of $0.0010"),
        ({"target": 0.7}, 1, "llm", "reach 70.0%: $0.03 of calls and 11 min"),
        ({"target": 0.75}, 0, "llm", "reach 75.0%: $0.08 of calls and 30 min"),
        ({"target": 0.75, "cap_nano": CENT}, 1, "human", "reach 75.0% within $0.01 of calls: 3.8 h of human work"),
        ({"target": 0.85}, 0, "human", "reach 85.0%: 10.0 h of human work"),
        ({"target": 0.67}, 3, "human", "reach 67.0%: 0 min of human work"),
        ({"target": 0.99, "cap_nano": CENT}, 0, "human", "No mode is expected to reach 99.0%"),
    ],
)  # fmt: skip
def test_rule_and_mode_are_chosen_together(wish, place, mode, words):
    found, best = _choose(**wish)
    assert (found, best.mode) == (place, mode)
    assert words in best.reason


def test_without_a_model_a_target_still_says_how_many_rows_people_need_to_see():
    assert [_choose(None, target=target)[0] for target in (0.87, 0.8, 0.75, 0.67)] == [0, 0, 1, 3]


def test_people_alone_never_get_fewer_rows_for_a_cap_on_calls():
    worse = replace(LLM, right=Known(0.4, 80))
    assert [_choose(worse, cap_nano=cap * CENT)[0] for cap in (9, 4, 1, 0)] == [0, 0, 0, 0]


@pytest.mark.parametrize("people", [PEOPLE, replace(PEOPLE, usd_an_hour=0.01), replace(PEOPLE, usd_an_hour=20.0)])
@pytest.mark.parametrize("llm", [LLM, replace(LLM, is_fused=True), Llm(0, abstains=Known(0, 0)), Llm(900_000)])
def test_rule_and_mode_agree_for_all_caps_and_targets(llm, people):
    """What is recommended can be paid, reaches the target where anything does, and under no looser rule."""
    priced = [list_options(rows, llm, people) for rows in RULES]
    caps, targets = (None, 0, 1, CENT // 5, 3 * CENT, 8 * CENT, NANO), (None, 0.5, 0.68, 0.685, 0.72, 0.8, 0.88, 1.0)
    for cap, target in product(caps, targets):
        place, best = _choose(llm, people, cap_nano=cap, target=target)
        paid = [[one for one in options if cap is None or one.llm_nano <= cap] for options in priced]
        assert cap is None or best.llm_nano <= cap
        if target is None:
            stricter = [options[MODES.index(best.mode)] for options in priced[:place]]
            assert all(one.llm_nano > cap for one in stricter)
            assert place == 0 or best.mode != "human"
            continue
        reaching = [[one for one in options if one.accuracy >= target] for options in paid]
        assert (best.accuracy >= target) is any(reaching)
        if any(reaching):
            assert best.mode not in {one.mode for options in reaching[place + 1 :] for one in options}
        else:
            assert best.accuracy == pytest.approx(max(one.accuracy for options in paid for one in options))


def test_the_others_say_what_they_cost_beside_it():
    human, _llm, _both = compare(ROWS, LLM, PEOPLE)
    assert human.reason == "10.0 h of human work; 9.0 points more accuracy."


@given(
    st.integers(0, 10**6),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
    st.none() | st.floats(0, 1),
)
def test_any_run_has_one_recommendation(n_rows, hard, right, accepted, unsure, target):
    rows = Rows(n_rows, int(n_rows * hard), Known(accepted, 50))
    llm = Llm(1000, right=Known(right, 50), abstains=Known(0, 50), unsure=Known(unsure, 50))
    options = compare(rows, llm, PEOPLE, target=target)
    assert tuple(option.mode for option in options) == MODES
    assert sum(option.is_recommended for option in options) == 1
    assert all(-1e-9 <= option.accuracy <= 1 + 1e-9 and option.reason and option.rests_on for option in options)


def test_all_by_llm_asks_about_every_row():
    assert price_all_by_llm(10_000, replace(LLM, calls_a_row=3.0)) == 600_000_000


@pytest.mark.parametrize(
    ("rows", "llm", "people"),
    [
        (Rows(10, 11), LLM, PEOPLE),
        (Rows(10, -1), LLM, PEOPLE),
        (Rows(10, 1, Known(1.1, 5)), LLM, PEOPLE),
        (ROWS, Llm(-1), PEOPLE),
        (ROWS, Llm(1, abstains=Known(0.5, 9)), PEOPLE),
        (ROWS, LLM, People(-1.0)),
        (ROWS, LLM, People(float("nan"))),
    ],
)
def test_impossible_numbers_are_refused(rows, llm, people):
    with pytest.raises(BadInput):
        compare(rows, llm, people)
