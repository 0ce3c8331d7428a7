"""Prompts: the paper's words, texts between marks that they cannot end, a version that no changed word escapes."""

import dataclasses
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator_core.verifiers import prompts
from annotator_core.verifiers.contract import Example, Plan, Question, ShownVote, Strategy
from annotator_core.verifiers.prompts import SCHEMAS, answer_limit, answer_schema, delimit, version, write_messages
from tests.annotator_core.verifiers.injections import CLASSES, INJECTIONS

PLAN = Plan(CLASSES)
VOTE = ShownVote("org/model", "neutral", 0.912)
RICH = Plan(CLASSES, Strategy.FEW_SHOT, shows_votes=True, guideline="Mind the irony.")


def _write(text, plan=PLAN, schema="text", ask=0, **question):
    return write_messages(plan, Question(1, text, **question), capability_schema=schema, ask=ask)


def test_zero_shot_is_the_papers_prompt():
    system, user = _write("It was fine.")
    assert system.content.startswith(
        "You are an autoclassifier that's responsible for labeling input text. "
        "You must respond with only one of these labels: negative, neutral, positive.\n\n"
    )
    assert user.content == "Input sentence: '<data-10>It was fine.</data-10>'"
    assert (system.role, user.role) == ("system", "user")


def test_chain_of_thought_adds_the_papers_words():
    *_rest, user = _write("It was fine.", Plan(CLASSES, Strategy.CHAIN_OF_THOUGHT))
    assert user.content.endswith("'</data-10>' Let's think step by step like an operations research expert."[1:])


def test_an_example_is_a_turn_before_the_question():
    said = _write("New.", RICH, examples=(Example("Old.", "positive"),))
    assert [(one.role, one.content) for one in said[1:3]] == [
        ("user", "Input sentence: '<data-10>Old.</data-10>'"),
        ("assistant", "positive"),
    ]


def test_an_example_answers_in_the_form_that_is_asked_for():
    assert _write("New.", RICH, "json_object", examples=(Example("Old.", "positive"),))[2].content == (
        '{"label": "positive"}'
    )


@pytest.mark.parametrize(("plan", "is_shown"), [(RICH, True), (PLAN, False)])
def test_votes_are_shown_where_the_plan_says_so(plan, is_shown):
    *_rest, user = _write("New.", plan, votes=(VOTE, ShownVote("b", None, None)))
    shown = '[{"model": "org/model", "label": "neutral", "probability": 0.91}, {"model": "b", "label": null}]'
    assert (shown in user.content) is is_shown


def test_the_guideline_stands_in_the_systems_message():
    assert "Mind the irony." in _write("New.", RICH)[0].content
    assert "guideline" not in _write("New.")[0].content


@pytest.mark.parametrize("schema", ["json_schema", "json_object"])
def test_json_is_asked_for_by_name(schema):
    # OpenAI's JSON mode refuses a request whose messages do not say JSON.
    assert "JSON" in _write("New.", schema=schema)[0].content


def test_asking_again_says_what_was_wrong():
    first, again = _write("New.")[-1].content, _write("New.", ask=1)[-1].content
    assert again.startswith(first)
    assert "exactly one of these labels, as written: negative, neutral, positive." in again


def test_names_with_commas_or_quotes_are_told_apart():
    assert 'labels: "a, b", "it\'s", "c".' in _write("New.", Plan(("a, b", "it's", "c")))[0].content


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_s22_an_injection_stays_between_its_marks(text):
    """S22: user text wrapped in delimiters; whatever it says, the words around it and the system's are the same."""
    for strategy, ask, schema in itertools.product(Strategy, (0, 1), SCHEMAS):
        plan = dataclasses.replace(RICH, strategy=strategy)
        written = _write(text, plan, schema, ask, votes=(VOTE,), examples=(Example(text, "negative"),))
        harmless = _write("fine", plan, schema, ask, votes=(VOTE,), examples=(Example("fine", "negative"),))
        assert [one.role for one in written] == [one.role for one in harmless]
        for mine, other in zip(written, harmless, strict=True):
            assert mine.content.replace(delimit(text), delimit("fine")) == other.content


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_s22_no_injection_knows_its_mark(text):
    _check_mark(text)


@given(st.text(st.characters(codec="utf-8")) | st.text("0123456789</>-dat١２²") | st.from_regex(r"(</data-\d+>)*"))
def test_no_text_holds_its_mark(text):
    _check_mark(text)


def _check_mark(text):
    number, inside = re.fullmatch(r"<data-(\d+)>(.*)</data-\1>", delimit(text), re.DOTALL).groups()
    assert inside == text
    # Not in any script's digits, nor with other signs put between.
    assert number not in "".join(str(int(sign)) for sign in text if sign.isdecimal())


def test_a_mark_is_found_in_a_text_of_all_numbers():
    _check_mark("".join(map(str, range(100_000))))


def test_the_same_question_is_written_in_the_same_words():
    assert _write("New.", RICH, votes=(VOTE,)) == _write("New.", RICH, votes=(VOTE,))


_PLANS = st.builds(
    Plan,
    st.lists(st.text("ab ,'\"é", min_size=1, max_size=3), min_size=2, max_size=3, unique=True).map(tuple),
    st.sampled_from(Strategy),
    st.booleans(),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.7]),
    st.sampled_from([None, 9, 90]),
    st.text("ab ", max_size=3),
)


@given(_PLANS, _PLANS)
def test_plans_that_send_other_words_have_other_versions(one, other):
    def words(plan):
        question = Question(1, "t", (VOTE,), (Example("e", plan.classes[0]),))
        return [write_messages(plan, question, capability_schema=schema, ask=1) for schema in SCHEMAS]

    assert len(version(one)) == 16
    assert (version(one) != version(other)) or words(one) == words(other)


@pytest.mark.parametrize("name", [name for name in vars(prompts) if re.fullmatch("_[A-Z_]+", name)])
def test_the_version_changes_with_every_word_of_ours(name, monkeypatch):
    plans = [dataclasses.replace(RICH, strategy=strategy) for strategy in Strategy]
    before = [version(plan) for plan in plans]
    monkeypatch.setattr(prompts, name, getattr(prompts, name) + " Thanks.")
    assert [version(plan) for plan in plans] != before


def test_an_answer_has_room_for_the_longest_name():
    assert answer_limit(Plan(("a", "b" * 500))) > 500
    assert answer_limit(Plan(CLASSES, max_tokens=7)) == 7
    assert answer_limit(Plan(CLASSES, Strategy.CHAIN_OF_THOUGHT)) > answer_limit(PLAN)


def test_the_schema_holds_an_answer_to_the_classes():
    assert answer_schema(PLAN) == {
        "type": "object",
        "properties": {"label": {"type": "string", "enum": ["negative", "neutral", "positive"]}},
        "required": ["label"],
        "additionalProperties": False,
    }


def test_steps_come_before_the_label():
    assert list(answer_schema(Plan(CLASSES, Strategy.CHAIN_OF_THOUGHT))["properties"]) == ["reason", "label"]
