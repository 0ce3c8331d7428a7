"""A cap of a dollar on the site's own ledger, for ten thousand questions and sixteen calls at a time."""

import pytest

from annotator_core.errors import BudgetReached
from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import DROP, OK, OpenAIScript
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.verifiers.client import Endpoint, OpenAIAsker
from annotator_core.verifiers.contract import NANO, Plan, Price, Question
from annotator_core.verifiers.drive import ask_all
from annotator_core.verifiers.pace import Pace
from labeling.llm.models import Budget, CallState, LlmCall
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import RUN, assert_money_is_conserved, make_connection, make_ledger

pytestmark = pytest.mark.django_db

PRICE = Price(20.0, 20.0, 80.0)
"""So dear that the dollar is spent after some hundred calls."""


class Watched:
    """The ledger of a run whose cap is a dollar; `most` is the most that was spent and set aside after a step."""

    def __init__(self, connection):
        self.ledger, self.most = make_ledger(connection, cap=NANO), 0
        self.recall = self.ledger.recall

    def reserve(self, calls):
        done = self.ledger.reserve(calls)
        self.look()
        return done

    def settle(self, settled):
        self.ledger.settle(settled)
        self.look()

    def look(self):
        budget = Budget.objects.get(run=RUN)
        self.most = max(self.most, budget.spent_nano + budget.reserved_nano)


def test_the_dollar_is_never_passed_calls_in_flight_included():
    """Every twentieth answer is lost on its way: what it may have cost counts, too."""
    connection = make_connection(make_project(make_user()))
    ledger = Watched(connection)
    questions = [Question(number, f"this is text {number}") for number in range(10_000)]
    steps = [DROP if number % 20 == 7 else OK for number in range(1_000)]
    classes = ("negative", "positive")
    script = OpenAIScript(make_answerer(classes), steps)
    with FakeOpenAI(script) as server:
        endpoint = Endpoint(server.url, "fake-model", None, 20.0, PRICE)
        with OpenAIAsker(endpoint, allow=["127.0.0.1"]) as asker:
            asked = ask_all(questions, Plan(classes), asker, ledger, Pace(16), price=PRICE)
            with pytest.raises(BudgetReached):
                list(asked)
    assert_money_is_conserved(connection)
    budget = Budget.objects.get(run=RUN)
    calls = LlmCall.objects.filter(run=RUN)
    assert budget.spent_nano <= ledger.most <= NANO
    assert budget.reserved_nano == 0
    assert calls.count() == len(script.asked)
    assert calls.filter(state=CallState.STORED).count() > 100
    # The cap is used up: what is left would not have paid for one more.
    assert NANO - budget.spent_nano < max(calls.values_list("reserve_nano", flat=True))
