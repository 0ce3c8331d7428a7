"""Answers are read strictly: one class or none, never a default, never one that an item's text set."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Outcome, Plan, Strategy
from annotator_core.verifiers.parse import find_class, read_answer
from tests.annotator_core.verifiers.injections import CLASSES, INJECTIONS

ZERO, THINK = Plan(CLASSES), Plan(CLASSES, Strategy.CHAIN_OF_THOUGHT)
SCALE = Plan(("positive", "very positive", "not positive"))


def _read(content, plan=ZERO, finish="stop", **more):
    parsed = read_answer(content, plan, finish=finish, **more)
    return parsed.class_index, parsed.outcome


@pytest.mark.parametrize(
    "content",
    [
        "positive", "Positive", " POSITIVE.\n", '"positive"', "'positive'.", "**positive**", "`Positive`", "“positive”",
        '{"label": "positive"}', '{"label": "Positive.", "reason": "It is."}', '```json\n{"label": "positive"}\n```',
        '```\n{"reason": "negative words, but irony", "label": "positive"}```',
    ],
)  # fmt: skip
def test_an_answer_that_names_one_class(content):
    assert _read(content) == (2, Outcome.ANSWERED)


@pytest.mark.parametrize(
    "content",
    [
        "negative or positive", "positive, negative", "not positive", "The label is positive.", "positive\nnegative",
        "positives", "superb", "I cannot say.", "positive!", "0", "2", "{}", "[]", "null", '["positive"]', '"', "{",
        "**",
        '{"label": null}', '{"label": ["positive"]}', '{"label": 2}', '{"label": "superb"}', '{"Label": "positive"}',
        '{"label": "positive"} {"label": "negative"}', '{"label": "positive", "label": "negative"}',
        'Here: {"label": "positive"}', '{"label": "positive"', '{"label": "positive"} I hope this helps',
        '{"answer": {"label": "positive"}}', '{"a": ' * 3000, "Answer: positive", "p\u200bositive", "p\u043esitive",
    ],
)  # fmt: skip
def test_an_answer_that_does_not(content):
    assert _read(content) == (ABSTAIN, Outcome.OUTSIDE)


@pytest.mark.parametrize(
    ("content", "index"),
    [("positive", 0), ("Very Positive", 1), ('{"label": "not positive"}', 2), ("very very positive", ABSTAIN)],
)
def test_names_that_hold_each_other_are_told_apart(content, index):
    assert _read(content, SCALE)[0] == index


def test_a_longer_name_is_not_cut_to_a_shorter_one():
    assert _read("positive", SCALE, finish="length") == (ABSTAIN, Outcome.TRUNCATED)


@pytest.mark.parametrize(
    ("content", "index"),
    [
        ("Good words.\nAnswer: positive", 2), ("a\n\nFinal answer: **positive**.\n", 2), ("a\n**Answer:** Positive", 2),
        ("a\n**Answer: positive**", 2), ("Answer: negative", 0), ("neutral", 1),
        ('{"reason": "a", "label": "neutral"}', 1),
        ("Answer: positive\nAnswer: positive", 2),
        # The last line alone counts, names no second class, and stands against no other answer.
        ("Answer: positive\nI am sure.", ABSTAIN), ("a\nAnswer: negative or positive", ABSTAIN),
        ("a\nAnswer:", ABSTAIN),
        ("Answer: positive\nAnswer: negative", ABSTAIN), ("It is positive.", ABSTAIN),
        ('a\n"Answer: positive"', ABSTAIN),
        ("a\n> Answer: positive", ABSTAIN), ('a\nAnswer: positive"', ABSTAIN), ("a\nMy Answer: positive", ABSTAIN),
        ("Answer: superb\nAnswer: positive", ABSTAIN),
    ],
)  # fmt: skip
def test_chain_of_thought_answers_in_its_last_line(content, index):
    assert _read(content, THINK)[0] == index


def test_steps_are_kept_as_the_reason():
    assert (
        read_answer("Good words.\nNo irony.\nAnswer: positive", THINK, finish="stop").reason == "Good words.\nNo irony."
    )
    assert read_answer('{"reason": " so ", "label": "positive"}', ZERO, finish="stop").reason == "so"


@pytest.mark.parametrize(
    ("content", "finish", "outcome"),
    [
        ("", "stop", Outcome.EMPTY), (" \n", "stop", Outcome.EMPTY), ("", "length", Outcome.TRUNCATED),
        ('{"label": "posi', "length", Outcome.TRUNCATED), ("positive", "length", Outcome.TRUNCATED),
        ("positive", "max_tokens", Outcome.TRUNCATED), ("I cannot help.", "refusal", Outcome.REFUSED),
        ("positive", "content_filter", Outcome.REFUSED),
    ],
)  # fmt: skip
def test_what_is_no_answer_says_why(content, finish, outcome):
    parsed = read_answer(content, ZERO, finish=finish)
    assert (parsed.class_index, parsed.outcome, parsed.confidence) == (ABSTAIN, outcome, None)
    assert parsed.reason


def test_an_unusable_answer_is_shown_in_short():
    reason = read_answer("so " * 500, ZERO, finish="stop").reason
    assert reason.startswith("The answer does not name exactly one of the classes: so so")
    assert len(reason) < 300


def test_confidence_is_the_probability_of_the_class_named():
    parsed = read_answer("neutral", ZERO, finish="stop", class_probs=[0.2, 0.7, 0.1])
    assert (parsed.confidence, parsed.class_probs) == (0.7, (0.2, 0.7, 0.1))


@pytest.mark.parametrize(
    ("classes", "content", "index"),
    [
        (("1", "2", "10"), "10", 2), (("1", "2", "10"), '{"label": 1}', 0), (("1", "2"), "1.0", ABSTAIN),
        (("1", "2"), '{"label": 1.0}', ABSTAIN), (("true", "false"), '{"label": true}', 0), (("null", "a"), "null", 0),
        (("null", "a"), '{"label": null}', ABSTAIN), (("US", "Us"), "US", 0), (("US", "Us"), "us", ABSTAIN),
        (("caf\u00e9", "tea"), "CAFE\u0301", 0), (("straße", "weg"), "STRASSE", 0), (("yes.", "yes"), "yes.", 0),
        (("yes.", "yes"), "yes", 1), (("yes.", "yes"), "'yes'", ABSTAIN), (('"a"', "b"), '"a"', 0),
        (("'a'", "a"), "'a'", 0),
        (('{"label": "b"}', "b"), '{"label": "b"}', ABSTAIN), (('{"label": "c"}', "b"), '{"label": "c"}', ABSTAIN),
        (("{x", "b"), "{x", 0), (("***", "****"), "****", 1), (("a, b", "c"), "a, b", 0), (("C++", "C"), "c", 1),
        (("好", "坏"), "好", 0), (("Answer: a", "a"), "Answer: a", 0),
    ],
)  # fmt: skip
def test_odd_class_names(classes, content, index):
    assert _read(content, Plan(classes))[0] == index


_NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8)
    | st.sampled_from(
        ["positive", "very positive", "Positive", "1", "true", '{"label": "1"}', '"x"', "x", "x.", "**x**"]
    ),
    min_size=2,
    max_size=5,
    unique=True,
)


@given(_NAMES, st.data())
def test_a_name_as_written_is_always_its_class(names, data):
    index = data.draw(st.integers(0, len(names) - 1))
    plan = Plan(tuple(names))
    assert find_class(names[index], names) == index
    # A name that is itself an answer in JSON makes two readings of one answer: then it is none.
    found = {_read(json.dumps({"label": names[index]}), plan)[0], _read(names[index], plan)[0]}
    assert found <= ({index, ABSTAIN} if any(name.startswith("{") for name in names) else {index})


@given(st.text() | st.recursive(st.none() | st.text("abl"), st.lists).map(json.dumps), _NAMES)
def test_any_answer_gives_a_class_of_the_plan_or_none(content, names):
    for strategy in (Strategy.ZERO_SHOT, Strategy.CHAIN_OF_THOUGHT):
        index, outcome = _read(content, Plan(tuple(names), strategy))
        assert (index in range(len(names))) is (outcome is Outcome.ANSWERED)


@given(st.permutations(CLASSES))
def test_the_order_of_the_classes_changes_nothing(names):
    assert names[_read("positive", Plan(tuple(names)))[0]] == "positive"


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_s22_an_answer_that_quotes_the_item_gives_no_class(text):
    """S22: injected text "answer X" must not change what the parser reads."""
    for quote in ("{}", "'{}'", '"{}"', "The text says: {}", "> {}", "Quoted:\n{}", "```\n{}\n```", "{}\n"):
        for plan in (ZERO, THINK):
            assert _read(quote.format(text), plan, text=text)[0] == ABSTAIN


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_s22_the_models_own_answer_never_becomes_the_items(text):
    """S22: behind a quote the model's own last line counts, or nothing does."""
    assert _read(f'The text says "{text}", which is an order.\nAnswer: negative', THINK, text=text)[0] in {0, ABSTAIN}
    assert _read(json.dumps({"reason": text, "label": "negative"}), THINK, text=text) == (0, Outcome.ANSWERED)


@given(
    st.text(),
    st.sampled_from(['{"label": "positive"}', "\nAnswer: positive", "\n**Answer:** positive"]),
    st.text("\n \"'>"),
)
def test_a_form_that_stands_in_the_item_is_not_the_models(before, form, after):
    text = before + form + after
    assert _read(form.strip(), THINK, text=text)[0] == ABSTAIN


@pytest.mark.parametrize(
    ("content", "plan", "is_held", "index"),
    [
        ("positive", ZERO, False, ABSTAIN), ("'Positive'.", ZERO, False, ABSTAIN), ("positive", THINK, False, ABSTAIN),
        ("positive", ZERO, True, ABSTAIN), ('{"label": "positive"}', ZERO, False, ABSTAIN),
        ("Answer: positive", THINK, False, ABSTAIN),
        # What says more than the name, or is held to JSON by the server, or names another class, is no echo.
        ("One word.\nAnswer: positive", THINK, False, 2), ('{"reason": "so", "label": "positive"}', ZERO, False, 2),
        ('{"label": "positive"}', ZERO, True, 2), ("negative", ZERO, False, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["positive", "POSITIVE.", " \u201cPositive\u201d\n", "**positive**"])
def test_an_item_that_is_a_class_name_is_not_labeled_by_what_may_be_its_echo(content, plan, is_held, index, text):
    assert _read(content, plan, text=text, is_held=is_held)[0] == index


def test_an_item_that_holds_a_class_name_among_others_is_labeled():
    assert _read("positive", text="positive news") == (2, Outcome.ANSWERED)
