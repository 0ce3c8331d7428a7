"""Connections and calls that the tests of the llm room start from."""

from datetime import date
from hashlib import sha256

from annotator_core.verifiers.contract import Call, Completion, Failure, FailureKind, Message, Settled, Usage
from labeling.llm.actions.budgets import set_cap
from labeling.llm.actions.calls import BookedLedger
from labeling.llm.models import Budget, CallState, Connection, LlmCall, Price

RUN = 7
KEY = "sk-test-1234567890-the-secret-of-this-connection"


def make_connection(project, name="GPT", *, price=("0.15", "0.075", "0.6"), **fields):
    values = {"base_url": "https://models.example.org/v1", "model": "gpt-mini", "capability": {}} | fields
    connection = Connection.objects.create(project=project, name=name, **values)
    if price:
        names = ("input_usd", "cached_usd", "output_usd")
        Price.objects.create(connection=connection, valid_from=date(2024, 1, 1), **dict(zip(names, price, strict=True)))
    return connection


def make_ledger(connection, *, cap=1_000, run=RUN, chunk=3, attempts=1, **fields):
    if cap is not None:
        set_cap(project=connection.project, run=run, cap_nano=cap)
    return BookedLedger(connection.project_id, run, chunk, attempts, connection, **fields)


def make_call(name, reserve=100, *, question=1, draw=0):
    key = sha256(name.encode()).hexdigest()
    messages = (Message("system", "Label it."), Message("user", f"Input sentence: {name!r}"))
    return Call(key, question, draw, 0, 0, messages, 16, 0.0, reserve)


def answered(call, cost=40, content='{"label": "positive"}', **fields):
    usage = Usage(120, 20, 9)
    values = {"content": content, "finish": "stop", "usage": usage, "model": "gpt-mini-1", "latency_s": 0.25} | fields
    return Settled(call, completion=Completion(cost_nano=cost, **values))


def failed(call, kind=FailureKind.TIMEOUT, *, may_have_cost=True, status=None):
    return Settled(call, failure=Failure(kind, "It did not answer.", status, None, may_have_cost))


def budget(connection, run=RUN):
    found = Budget.objects.get(project=connection.project_id, run=run)
    return found.spent_nano, found.reserved_nano


def assert_money_is_conserved(connection, run=RUN):
    """The budget says what the rows say, and no more than the cap is spent or set aside."""
    rows = list(
        LlmCall.objects.filter(project=connection.project_id, run=run).values_list("state", "reserve_nano", "cost_nano")
    )
    reserved = sum(reserve for state, reserve, _cost in rows if state == CallState.RESERVED)
    spent = sum(cost for _state, _reserve, cost in rows)
    assert budget(connection, run) == (spent, reserved)
    assert spent + reserved <= Budget.objects.get(project=connection.project_id, run=run).cap_nano
