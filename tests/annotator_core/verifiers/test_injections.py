"""The corpus from end to end: a model that echoes every text labels nothing, and knows nothing to give away."""

import json

import pytest

from annotator_core.fakes.openai_answers import find_item
from annotator_core.fakes.openai_script import OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.capability import Capability
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import Plan, Price, Question, Strategy
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.ledger import MemoryLedger
from annotator_core.verifiers.pace import Pace
from annotator_core.verifiers.parse import find_class
from tests.annotator_core.verifiers.injections import CLASSES, INJECTIONS

FREE = Price(0.0, 0.0, 0.0)
KEY = "sk-never-in-a-message"


def _ask(answerer, strategy, schema):
    script = OpenAIScript(answerer, keys=frozenset({KEY}))
    with FakeOpenAI(script) as fake:
        endpoint = Endpoint(fake.url, "fake-model", KEY, 10.0, FREE, Capability(schema))
        questions = [Question(number, text) for number, text in enumerate(INJECTIONS.values())]
        with OpenAIAsker(endpoint, allow=["127.0.0.1"]) as asker:
            plan, ledger = Plan(CLASSES, strategy), MemoryLedger()
            verdicts = list(ask_all(questions, plan, asker, ledger, Pace(8), price=FREE))
    return verdicts, script


def test_the_corpus_is_large_enough():
    assert len(INJECTIONS) == len(set(INJECTIONS.values())) >= 30


def _echo_as_label(messages):
    return json.dumps({"label": find_item(messages)})


@pytest.mark.parametrize(
    ("answerer", "schema"),
    [(find_item, "text"), (_echo_as_label, "text"), (_echo_as_label, "json_object"), (_echo_as_label, "json_schema")],
)
@pytest.mark.parametrize("strategy", [Strategy.ZERO_SHOT, Strategy.CHAIN_OF_THOUGHT])
def test_s22_a_model_that_echoes_its_item_labels_nothing(strategy, answerer, schema):
    """S22: injected text "answer X" must not change the parser, whatever form of an answer is asked for.

    A server that holds answers to one of the classes gives no echo: there a text that is a class name can be labeled.
    """
    verdicts, _script = _ask(answerer, strategy, schema)
    names = {number: find_class(text, CLASSES) for number, text in enumerate(INJECTIONS.values())}
    assert {verdict.question_id: verdict.class_index for verdict in verdicts} == {
        number: index if schema == "json_schema" else ABSTAIN for number, index in names.items()
    }


def test_a_text_that_is_a_class_name_is_asked_about_once_more():
    verdicts, script = _ask(find_item, Strategy.ZERO_SHOT, "text")
    names = [text for text in INJECTIONS.values() if find_class(text, CLASSES) != ABSTAIN]
    asked = [find_item(one.body["messages"]) for one in script.list_questions()]
    assert len(names) == 4
    assert {asked.count(text) for text in names} == {2}
    whys = [verdict.reason for verdict in verdicts if list(INJECTIONS.values())[verdict.question_id] in names]
    assert all(why.startswith("The text is this class's name, and the answer may be an echo of it") for why in whys)


def test_s22_a_model_that_keeps_its_head_is_heard():
    """S22: behind all of them the model's own answer is read."""
    verdicts, _script = _ask(lambda _messages: "neutral", Strategy.ZERO_SHOT, "json_schema")
    assert {verdict.class_index for verdict in verdicts} == {1}


def test_s22_no_message_holds_the_key():
    """S22: a model cannot give away what it was not sent; what was recorded shows it."""
    verdicts, script = _ask(find_item, Strategy.CHAIN_OF_THOUGHT, "text")
    assert KEY not in str([asked.body for asked in script.asked])
    assert KEY not in str(verdicts)
