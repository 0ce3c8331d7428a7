"""The ledger: what is set aside, what is booked, and what is kept."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotator_core.verifiers.contract import FailureKind, Usage
from labeling.llm.actions.budgets import add_room, set_cap
from labeling.llm.actions.calls import Errand, book_lost, book_lost_of_run, book_stale
from labeling.llm.models import CallState, Connection, LlmCall, Purpose
from labeling.llm.queries import TESTS, budget_of, call_ids, calls_of_run
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project, make_user
from tests.labeling.llm.calling import (
    RUN,
    answered,
    assert_money_is_conserved,
    budget,
    failed,
    make_call,
    make_connection,
    make_ledger,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection():
    return make_connection(make_project(make_user()))


def state_of(call):
    return LlmCall.objects.filter(key=call.key).order_by("id").values_list("state", flat=True).last()


def test_reserve_takes_the_first_calls_that_the_cap_has_room_for(connection):
    ledger = make_ledger(connection, cap=250)
    assert ledger.reserve([make_call("a"), make_call("b"), make_call("c"), make_call("d", 10)]) == 2
    assert budget(connection) == (0, 200)
    assert list(LlmCall.objects.values_list("state", "run", "chunk", "attempts", "model", "sample").distinct()) == [
        ("reserved", RUN, 3, 1, "gpt-mini", 1)
    ]


def test_reserve_without_a_budget_asks_nothing(connection):
    assert make_ledger(connection, cap=None).reserve([make_call("a", 0)]) == 0
    assert not LlmCall.objects.exists()


def test_reserve_keeps_the_prompt_and_the_sample_of_the_question(connection):
    ledger = make_ledger(connection, sample_of=lambda question_id: question_id + 1_000)
    ledger.reserve([make_call("a", question=5)])
    call = LlmCall.objects.get()
    assert call.sample == 1_005
    assert call.messages[1] == {"role": "user", "content": "Input sentence: 'a'"}


def test_settle_books_the_cost_in_place_of_the_reserve(connection):
    ledger, call = make_ledger(connection), make_call("a")
    ledger.reserve([call])
    ledger.settle([answered(call, 40, class_probs=(0.25, 0.5, 0.25))])
    assert budget(connection) == (40, 0)
    row = LlmCall.objects.get()
    assert (row.state, row.cost_nano, row.tokens_in, row.tokens_cached, row.tokens_out) == ("stored", 40, 120, 20, 9)
    assert (row.latency_ms, row.model, row.class_probs) == (250, "gpt-mini-1", [0.25, 0.5, 0.25])


def test_recall_gives_back_what_was_stored_and_nothing_else(connection):
    ledger, kept, lost = make_ledger(connection), make_call("a"), make_call("b")
    ledger.reserve([kept, lost])
    settled = answered(kept, 40, class_probs=(0.5, 0.5))
    ledger.settle([settled, failed(lost)])
    assert make_ledger(connection, cap=None, run=8).recall([kept.key, lost.key]) == {
        kept.key: settled.completion,
    }
    assert call_ids(connection.project_id, [kept.key, lost.key]) == {kept.key: LlmCall.objects.get(key=kept.key).pk}


def test_recall_never_crosses_into_another_project(connection):
    ledger, call = make_ledger(connection), make_call("a")
    ledger.reserve([call])
    ledger.settle([answered(call)])
    other = make_connection(make_project(make_user()))
    assert make_ledger(other).recall([call.key]) == {}


@pytest.mark.parametrize(
    ("may_have_cost", "state", "spent"), [(True, CallState.LOST, 100), (False, CallState.FAILED, 0)]
)
def test_a_call_without_answer_is_booked_at_its_reserve_only_where_it_may_have_cost(
    connection, may_have_cost, state, spent
):
    ledger, call = make_ledger(connection), make_call("a")
    ledger.reserve([call])
    ledger.settle([failed(call, FailureKind.SERVER_ERROR, may_have_cost=may_have_cost, status=500)])
    row = LlmCall.objects.get()
    assert (row.state, row.cost_nano, row.failure, row.status) == (state, spent, "server_error", 500)
    assert budget(connection) == (spent, 0)


def test_a_failed_call_may_be_asked_again_under_its_key(connection):
    ledger, call = make_ledger(connection), make_call("a")
    ledger.reserve([call])
    ledger.settle([failed(call)])
    ledger.reserve([call])
    ledger.settle([answered(call)])
    assert sorted(LlmCall.objects.values_list("state", flat=True)) == ["lost", "stored"]
    assert_money_is_conserved(connection)


def test_equal_texts_asked_side_by_side_are_stored_once_and_both_paid(connection):
    ledger, call = make_ledger(connection), make_call("a")
    assert ledger.reserve([call, call]) == 2
    ledger.settle([answered(call, 40), answered(call, 30)])
    rows = LlmCall.objects.order_by("id").values_list("state", "failure", "cost_nano")
    assert list(rows) == [("stored", "", 40), ("lost", "duplicate", 30)]
    assert budget(connection) == (70, 0)


def test_settling_what_was_not_reserved_here_is_refused(connection):
    with pytest.raises(LookupError):
        make_ledger(connection).settle([answered(make_call("a"))])


def test_a_cost_above_the_reserve_is_booked_as_it_is(connection):
    ledger, call = make_ledger(connection, cap=100), make_call("a", 100)
    ledger.reserve([call])
    ledger.settle([answered(call, 130)])
    assert budget(connection) == (130, 0)
    assert ledger.reserve([make_call("b", 1)]) == 0
    totals = calls_of_run(connection.project, RUN)
    assert (totals.stored, totals.above, totals.above_nano) == (1, 1, 30)


def test_after_a_cost_above_the_reserve_as_much_more_is_set_aside(connection):
    """In the same part and in the next; so such a call comes above it once, and not each time."""
    ledger, call = make_ledger(connection), make_call("a", 100)
    ledger.reserve([call])
    ledger.settle([answered(call, 125)])
    for part in (ledger, make_ledger(Connection.objects.get())):
        again = make_call(f"again {id(part)}", 101)
        part.reserve([again])
        assert LlmCall.objects.get(key=again.key).reserve_nano == 127
        part.settle([answered(again, 120)])
    lost = make_call("lost", 100)
    ledger.reserve([lost])
    ledger.settle([failed(lost)])
    assert budget(connection) == (125 + 2 * 120 + 125, 0)
    assert (calls_of_run(connection.project, RUN).above, Connection.objects.get().reserve_percent) == (1, 125)


def test_a_count_beyond_all_reason_raises_the_reserve_ten_times_at_most(connection):
    ledger, free = make_ledger(connection), make_call("free", 0)
    ledger.reserve([make_call("a", 10), free])
    ledger.settle([answered(make_call("a", 10), 10**15), answered(free, 0)])
    assert Connection.objects.get().reserve_percent == 1_000


def test_an_answer_that_no_database_keeps_as_it_is_is_mended(connection):
    ledger, call = make_ledger(connection), make_call("a")
    ledger.reserve([call])
    huge = Usage(10**12, -5, 10**12)
    ledger.settle([answered(call, content="a\x00b\ud800c", finish="f" * 90, model="m" * 300, usage=huge)])
    row = LlmCall.objects.get()
    assert (row.content, len(row.finish)) == ("a\ufffdb\ufffdc", 40)
    assert (row.tokens_in, row.tokens_cached, row.tokens_out) == (2**31 - 1, 0, 2**31 - 1)


def test_a_killed_claim_is_booked_once_at_its_reserve(connection):
    make_ledger(connection, attempts=1).reserve([make_call("a", 100), make_call("b", 50)])
    assert [book_lost(chunk=3, attempts=2), book_lost(chunk=3, attempts=2)] == [2, 0]
    assert budget(connection) == (150, 0)
    assert_money_is_conserved(connection)


def test_book_lost_leaves_the_claim_itself_and_other_chunks_alone(connection):
    make_ledger(connection, attempts=2).reserve([make_call("a")])
    make_ledger(connection, chunk=4, attempts=1).reserve([make_call("b")])
    assert book_lost(chunk=3, attempts=2) == 0
    assert budget(connection) == (0, 200)


def test_a_late_answer_of_a_lost_claim_changes_nothing(connection):
    ledger, late, other = make_ledger(connection), make_call("a", 100), make_call("b", 100)
    ledger.reserve([late, other])
    book_lost(chunk=3, attempts=2)
    ledger.settle([answered(late, 10), failed(other)])
    assert budget(connection) == (200, 0)
    assert set(LlmCall.objects.values_list("state", "cost_nano")) == {("lost", 100)}


def test_what_a_run_that_is_over_left_open_is_booked(connection):
    make_ledger(connection).reserve([make_call("a", 100)])
    make_ledger(connection, run=8).reserve([make_call("b", 100)])
    assert book_lost_of_run(project_id=connection.project_id, run=RUN) == 1
    assert (budget(connection), budget(connection, 8)) == ((100, 0), (0, 100))


def test_calls_outside_chunks_are_lost_once_they_are_open_too_long(connection):
    ledger = make_ledger(connection, run=0, chunk=0, attempts=0, purpose=Purpose.SEARCH)
    ledger.reserve([make_call("a", 100)])
    assert book_stale(project_id=connection.project_id) == 0
    LlmCall.objects.update(created_at="2024-01-01T00:00:00Z")
    assert book_stale(project_id=connection.project_id) == 1
    assert budget(connection, 0) == (100, 0)


def test_tests_of_connections_are_paid_from_their_own_budget(connection):
    make_ledger(connection, run=0, cap=1_000)
    set_cap(project=connection.project, run=TESTS, cap_nano=100)
    ledger = make_ledger(connection, run=0, chunk=0, cap=None, purpose=Purpose.TEST)
    assert ledger.reserve([make_call("a", 100), make_call("b", 100)]) == 1
    assert (budget(connection, TESTS), budget(connection, 0)) == ((0, 100), (0, 0))


def test_a_cap_below_what_is_spent_stops_only_what_comes(connection):
    ledger, call = make_ledger(connection, cap=100), make_call("a")
    ledger.reserve([call])
    assert set_cap(project=connection.project, run=RUN, cap_nano=10).left_nano == 0
    ledger.settle([answered(call, 90)])
    assert budget_of(connection.project_id, RUN).spent_nano == 90
    assert ledger.reserve([make_call("b", 1)]) == 0


def test_errands_that_share_a_budget_keep_their_own_caps(connection):
    """One that begins later neither takes the other's room nor gives it more."""
    project, ledgers = connection.project_id, []
    for chunk, cap in ((3, 250), (4, 100)):
        add_room(project_id=project, run=0, room_nano=cap)
        ledgers.append(make_ledger(connection, run=0, cap=None, chunk=chunk, errand=Errand([chunk], cap)))
    first, second = ledgers
    assert second.reserve([make_call(name) for name in "ab"]) == 1
    assert first.reserve([make_call(name) for name in "cdef"]) == 2
    second.settle([failed(make_call("a"), may_have_cost=False)])
    assert (second.reserve([make_call("g"), make_call("h")]), first.reserve([make_call("i")])) == (1, 0)
    assert_money_is_conserved(connection, run=0)


@pytest.mark.parametrize("cap", [-1, 10**16])
def test_a_cap_that_cannot_be_is_refused(connection, cap):
    with pytest.raises(ActionError):
        set_cap(project=connection.project, run=RUN, cap_nano=cap)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.lists(st.integers(0, 300), min_size=1, max_size=5)),
        st.tuples(st.just("settle"), st.lists(st.sampled_from(["ok", "costly", "lost", "free"]), max_size=4)),
        st.tuples(st.just("kill"), st.just([])),
        st.tuples(st.just("cap"), st.lists(st.integers(0, 1_500), min_size=1, max_size=1)),
    ),
    max_size=12,
)


class Walk:
    """One chunk's claims, one after the other, and the cap as it is raised."""

    def __init__(self):
        self.connection = make_connection(make_project(make_user()))
        self.cap, self.attempts, self.named = 1_000, 1, 0
        self.claim()

    def claim(self):
        self.ledger, self.open = make_ledger(self.connection, cap=self.cap, attempts=self.attempts), []

    def reserve(self, amounts):
        calls = [make_call(f"{self.named + n}", amount) for n, amount in enumerate(amounts)]
        self.named += len(calls)
        self.open += calls[: self.ledger.reserve(calls)]

    def settle(self, ends):
        done, self.open = self.open[: len(ends)], self.open[len(ends) :]
        self.ledger.settle([self.end(call, end) for call, end in zip(done, ends, strict=False)])

    def end(self, call, end):
        if end in {"ok", "costly"}:
            return answered(call, call.reserve_nano if end == "costly" else call.reserve_nano // 3)
        return failed(call, may_have_cost=end == "lost")

    def kill(self, _nothing):
        self.attempts += 1
        book_lost(chunk=3, attempts=self.attempts)
        self.claim()

    def cap_(self, caps):
        spent, reserved = budget(self.connection)
        self.cap = max(caps[0], spent + reserved)
        set_cap(project=self.connection.project, run=RUN, cap_nano=self.cap)


class TestMoney(TestCase):
    """Whatever comes in whatever order: the budget is the sum of its calls and stays below its cap."""

    @hypothesis_settings(max_examples=25, deadline=None, derandomize=True)
    @given(STEPS)
    def test_money_is_conserved(self, steps):
        walk = Walk()
        for name, values in steps:
            getattr(walk, "cap_" if name == "cap" else name)(values)
            assert_money_is_conserved(walk.connection)
        walk.kill([])
        assert budget(walk.connection)[1] == 0
        assert_money_is_conserved(walk.connection)
