"""Class probabilities from the tokens of an answer, against hand-made tables."""

import math

import pytest

from annotator_core.verifiers.logprobs import Token, find_class_probs, read_tokens


def _tokens(*written: str | tuple[str, dict[str, float]]) -> list[Token]:
    return [Token(one, {one: 1.0}) if isinstance(one, str) else Token(*one) for one in written]


def test_the_first_token_of_a_plain_answer() -> None:
    tokens = _tokens(("positive", {"positive": 0.7, "negative": 0.2, "Hm": 0.1}))
    assert find_class_probs(tokens, ["negative", "positive"]) == pytest.approx((2 / 9, 7 / 9))


def test_the_label_inside_json_stands_behind_its_reason() -> None:
    reason = ['{"', "reason", '": "', "not negative", '", "']
    tokens = _tokens(*reason, "label", '": "', ("pos", {"pos": 0.6, "neg": 0.4}), "itive", '"}')
    assert find_class_probs(tokens, ["negative", "positive"]) == pytest.approx((0.4, 0.6))


def test_a_token_that_holds_the_quote_and_the_name() -> None:
    tokens = _tokens('{"label":', (' "no', {' "no': 0.8, ' "yes': 0.1, "yes": 0.1}), '"}')
    assert find_class_probs(tokens, ["no", "yes"]) == pytest.approx((8 / 9, 1 / 9))


def test_names_that_begin_alike_are_followed_to_where_they_part() -> None:
    first = ("very", {"very": 0.9, "neutral": 0.1})
    tokens = _tokens(first, (" positive", {" positive": 0.75, " negative": 0.25}))
    classes = ["very negative", "very positive", "neutral"]
    assert find_class_probs(tokens, classes) == pytest.approx((0.225, 0.675, 0.1))


def test_a_name_that_is_the_beginning_of_another() -> None:
    plain = _tokens(("good", {"good": 0.8, "bad": 0.2}))
    assert find_class_probs(plain, ["good", "good enough", "bad"]) == pytest.approx((0.8, 0.0, 0.2))
    closed = _tokens('{"label": "', ("good", {"good": 1.0}), (' enough"', {' enough"': 0.3, '"': 0.7}), "}")
    assert find_class_probs(closed, ["good", "good enough"]) == pytest.approx((0.7, 0.3))


def test_too_little_known_mass_says_nothing() -> None:
    classes = ["negative", "positive"]
    assert find_class_probs(_tokens(("positive", {"positive": 0.4, "I": 0.6})), classes) is None
    assert find_class_probs(_tokens("I", " think"), classes) is None
    assert find_class_probs([], classes) is None


def test_spaces_before_a_plain_answer_are_none_of_it() -> None:
    tokens = _tokens("\n", (" positive", {" positive": 0.7, " negative": 0.3, "x": 0.0}))
    assert find_class_probs(tokens, ["negative", "positive"]) == pytest.approx((0.3, 0.7))


def test_tokens_are_read_as_servers_write_them() -> None:
    top = [{"token": "a", "logprob": math.log(0.25)}, {"token": "b", "logprob": -9_999.0}]
    (token,) = read_tokens([{"token": "a", "logprob": math.log(0.25), "top_logprobs": top}])
    assert (token.text, token.probs) == ("a", {"a": pytest.approx(0.25), "b": 0.0})
    for broken in ([{"token": "a"}], [1], "text"):
        with pytest.raises((LookupError, TypeError)):
            read_tokens(broken)
