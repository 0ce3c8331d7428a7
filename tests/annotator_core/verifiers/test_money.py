"""Money: whole nano-dollars, rounded up, and a worst case above whatever a server may count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.errors import BadInput
from annotator_core.verifiers.contract import NANO, Message, Plan, Price, Question, Strategy, Usage
from annotator_core.verifiers.money import cost_nano, count_worst_tokens, to_nano, to_usd, worst_nano
from annotator_core.verifiers.prompts import write_messages

USD = st.floats(0, 1000)
PRICES = st.builds(Price, USD, USD, USD)
MINI = Price(0.15, 0.075, 0.6)


@pytest.mark.parametrize(
    ("usage", "price", "nano"),
    [
        (Usage(1_000_000, 0, 0), MINI, NANO * 15 // 100),
        (Usage(1000, 400, 10), MINI, 600 * 150 + 400 * 75 + 10 * 600),
        (Usage(1, 0, 0), Price(0.0001, 0, 0), 1),
        (Usage(0, 0, 0), MINI, 0),
        (Usage(10, 99, 0), MINI, 750),
        (Usage(3, 0, 0), Price(0.1, 0, 0), 300),
    ],
)
def test_a_cost_by_hand(usage, price, nano):
    assert cost_nano(usage, price) == nano


@given(st.lists(st.text()), st.integers(0, 4000), PRICES, st.data())
def test_the_worst_case_is_never_exceeded(texts, max_tokens, price, data):
    messages = [Message("user", text) for text in texts]
    tokens_in = data.draw(st.integers(0, count_worst_tokens(messages)))
    usage = Usage(tokens_in, data.draw(st.integers(0, tokens_in)), data.draw(st.integers(0, max_tokens)))
    assert 0 <= cost_nano(usage, price) <= worst_nano(messages, max_tokens, price)


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_no_byte_of_a_normalised_text_is_left_out(text, form):
    import unicodedata

    assert count_worst_tokens([Message("user", unicodedata.normalize(form, text))]) <= _widest(text)


def _widest(text):
    return count_worst_tokens([Message("user", text)])


def test_a_sign_that_normalising_makes_longer_counts_as_long():
    # One sign of three bytes that NFKC makes eighteen letters of, 33 bytes.
    assert _widest("\ufdfa" * 100) - _widest("") == 2 * 3300


@pytest.mark.parametrize("strategy", Strategy)
def test_the_classes_are_counted_once_more_as_a_schema(strategy):
    plan = Plan(tuple(f"class {index}" for index in range(300)), strategy)
    messages = write_messages(plan, Question(1, "fine"), capability_schema="json_schema", ask=0)
    sent = sum(len(message.content) for message in messages)
    assert count_worst_tokens(messages) > sent + sum(len(f'"{name}", ') for name in plan.classes)


@given(st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 999)), max_size=20), PRICES)
def test_a_sum_of_calls_is_exact_to_a_nano_a_call(calls, price):
    one_by_one = sum(cost_nano(Usage(tokens_in, 0, tokens_out), price) for tokens_in, tokens_out in calls)
    total = cost_nano(Usage(sum(call[0] for call in calls), 0, sum(call[1] for call in calls)), price)
    assert total <= one_by_one <= total + len(calls)


@pytest.mark.parametrize("usd", [-0.01, float("nan"), float("inf")])
def test_impossible_prices_and_amounts_are_refused(usd):
    for price in (Price(usd, 0, 0), Price(0, usd, 0), Price(0, 0, usd)):
        with pytest.raises(BadInput):
            cost_nano(Usage(0, 0, 0), price)
        with pytest.raises(BadInput):
            worst_nano([], 1, price)
    with pytest.raises(BadInput):
        to_nano(usd)


@pytest.mark.parametrize(("usd", "nano"), [(1.0, NANO), (0.1, NANO // 10), (0, 0), (1e-10, 0), (0.3, 300_000_000)])
def test_a_cap_in_dollars(usd, nano):
    assert to_nano(usd) == nano
    assert to_usd(nano) == pytest.approx(usd, abs=1e-9)
