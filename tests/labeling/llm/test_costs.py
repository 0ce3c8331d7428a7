"""The costs page and the ledger's file over HTTP."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from labeling.llm.actions.budgets import set_cap
from labeling.llm.cost_queries import PAGE, costs_of, ledger_page
from labeling.llm.models import Budget, LlmCall, Purpose, Spending
from labeling.llm.queries import calls_of_run, spent_by_run, totals_of, totals_of_connection
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.llm.calling import answered, budget, make_call, make_connection, make_ledger
from tests.labeling.llm.spending import DOLLAR, book_test, spend

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def project(client):
    user = make_user()
    client.force_login(user)
    return make_project(user)


@pytest.fixture
def connection(project):
    return make_connection(project)


def url(project, name="costs"):
    return reverse(f"llm:{name}", kwargs={"slug": project.slug})


def spent(connection, at, cost, run=1):
    Spending.objects.create(
        project=connection.project, connection=connection, purpose=Purpose.VERIFY, run=run, minute=at, cost_nano=cost
    )


def lines(client, project, query=""):
    answer = client.get(url(project, "ledger-csv") + query)
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def test_without_calls_the_page_says_where_they_come_from(client, project):
    html = client.get(url(project)).content.decode()
    assert "Nothing was asked yet" in html
    assert reverse("llm:connections", kwargs={"slug": project.slug}) in html


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_queries_for_any_number_of_rows(client, project, count, django_assert_num_queries):
    dataset = make_dataset(project, ["a", "b"])
    run = make_run(dataset)
    for number in range(count):
        spend(make_connection(project, f"Model {number}"), run.pk, calls=count, name=f"{number}")
    client.get(url(project))
    with django_assert_num_queries(20):
        html = client.get(url(project)).content.decode()
    assert html.count(">Answered<") == count * count + 3


def test_totals_are_what_was_settled(connection):
    spend(connection, 7, calls=2, cost=4_000)
    book_test(connection, cost=90)
    totals = totals_of(connection.project)
    assert (totals.stored, totals.lost, totals.failed, totals.cost_nano) == (3, 1, 1, 2 * 4_000 + 10_000_000 + 90)
    verified = totals_of_connection(connection, run=7)
    assert (verified.stored, verified.mean_in, verified.mean_cached, verified.mean_out) == (2, 120.0, 20.0, 9.0)
    assert totals_of_connection(connection, run=8).mean_in == 0
    assert spent_by_run(connection.project) == {7: budget(connection)[0]}


def test_the_calls_of_a_run_are_counted_without_reading_them(connection):
    spend(connection, 7, calls=2, cost=4_000)
    found = calls_of_run(connection.project, 7)
    assert (found.stored, found.lost, found.failed, found.cost_nano) == (2, 1, 1, 10_008_000)


def test_what_is_added_up_is_what_the_budget_says(connection):
    for run in (7, 8):
        spend(connection, run, calls=run - 5, name="a")
    costs = costs_of(connection.project)
    by_run = {line.run: line.totals.cost_nano for line in costs.runs}
    assert by_run == {run: Budget.objects.get(run=run).spent_nano for run in (7, 8)}
    assert costs.totals.cost_nano == sum(by_run.values()) == costs.curve.points[-1].spent_nano
    assert costs.reserved_nano == 20_000_000
    assert sum(line.totals.cost_nano for line in costs.connections) == costs.totals.cost_nano


@pytest.mark.parametrize(
    ("spans", "count", "is_by_day"),
    [
        ([timedelta(0), timedelta(seconds=30), timedelta(hours=2)], 2, False),
        ([timedelta(0), timedelta(minutes=20), timedelta(days=4)], 2, False),
        ([timedelta(0), timedelta(hours=5), timedelta(days=9)], 2, True),
    ],
)
def test_the_figure_is_as_fine_as_its_span_allows(connection, spans, count, is_by_day):
    for number, span in enumerate(spans):
        spent(connection, (START + span).replace(second=0), 10, run=number)
    curve = costs_of(connection.project).curve
    assert (len(curve.points), curve.is_by_day) == (count, is_by_day)
    assert [point.spent_nano for point in curve.points] == [20, 30]


def test_each_connection_has_a_line_where_there_are_several(connection):
    other = make_connection(connection.project, "Other")
    spent(connection, START, 10)
    spent(other, START + timedelta(minutes=1), 30)
    costs = costs_of(connection.project)
    assert costs.curve_names == ["Other", "GPT"]
    assert [point.lines for point in costs.curve.points] == [(0, 10), (30, 10)]
    assert costs.run_curve.ids == ()


def test_each_run_has_a_line_where_there_are_several(connection):
    spent(connection, START, 10, run=3)
    spent(connection, START + timedelta(minutes=1), 30, run=0)
    curve = costs_of(connection.project).run_curve
    assert (curve.ids, [point.lines for point in curve.points]) == ((0, 3), [(0, 10), (30, 10)])


def test_tokens_are_told_by_kind(connection):
    spend(connection, 7, calls=2)
    assert [(part.label, part.count) for part in costs_of(connection.project).tokens] == [
        ("read", 200),
        ("read from the cache", 40),
        ("written", 18),
    ]


def test_the_page_draws_what_a_run_saved_against_asking_about_every_row(client, project, connection):
    run = make_run(make_dataset(project, ["text"] * 50))
    spend(connection, run.pk, calls=2, cost=4_000_000)
    html = " ".join(client.get(url(project)).content.decode().split())
    assert "What asking about every row would cost, and what was paid" in html
    # 18,000,000 for two answers, the lost call's reserve included: 9,000,000 a call, 50 rows.
    assert "$0.45" in html
    assert "96.0%" in html


def test_the_page_shows_money_by_run_connection_and_purpose(client, project, connection):
    run = make_run(make_dataset(project, ["a", "b"]))
    spend(connection, run.pk)
    book_test(connection)
    html = client.get(url(project)).content.decode()
    for words in ("Cost so far", "Costs by run", "Costs by connection", "Test of a connection", f"Run {run.number}"):
        assert words in html
    assert reverse("runs:detail", kwargs={"slug": project.slug, "number": run.number}) in html


def fill(connection, count, run=7):
    ledger = make_ledger(connection, run=run, cap=DOLLAR)
    calls = [make_call(f"{run} {number}", 10, question=number) for number in range(count)]
    ledger.reserve(calls)
    ledger.settle([answered(call, 5) for call in calls])


def test_the_ledger_pages_back_and_forth_without_a_gap(connection):
    fill(connection, 2 * PAGE + 10)
    project = connection.project
    first = ledger_page(project)
    second = ledger_page(project, before=first.older)
    third = ledger_page(project, before=second.older)
    found = [call.pk for page in (first, second, third) for call in page.calls]
    assert found == sorted(LlmCall.objects.values_list("pk", flat=True), reverse=True)
    assert (first.newer, third.older, len(third.calls)) == (None, None, 10)
    back = ledger_page(project, after=third.newer)
    assert [call.pk for call in back.calls] == [call.pk for call in second.calls]
    assert [call.pk for call in ledger_page(project, after=back.newer).calls] == [call.pk for call in first.calls]


def test_htmx_gets_the_ledger_alone(client, project, connection):
    spend(connection, 7)
    html = client.get(url(project) + "?run=7", headers=HTMX).content.decode()
    assert html.strip().startswith('<div id="ledger"')
    assert "Costs by connection" not in html


def test_the_ledger_asks_again_only_while_a_call_is_on_its_way(client, project, connection):
    fill(connection, 1)
    assert "hx-trigger" not in client.get(url(project), headers=HTMX).content.decode()
    spend(connection, 7)
    assert 'hx-trigger="every 10s"' in client.get(url(project), headers=HTMX).content.decode()


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", f"?after={10**30}", "?run=%D9%A3", "?before=1&after=2"])
def test_a_place_that_is_none_is_no_error(client, project, connection, query):
    spend(connection, 7)
    assert client.get(url(project) + query).status_code == 200


def test_the_file_holds_every_call_with_its_price(client, project, connection):
    spend(connection, 7, calls=2, cost=4_000)
    rows = lines(client, project)
    assert [row["state"] for row in rows] == ["stored", "stored", "lost", "failed", "reserved"]
    assert [row["cost_usd"] for row in rows] == ["0.000004000"] * 2 + ["0.010000000", "0.000000000", "0.000000000"]
    assert {row["run_id"] for row in rows} == {"7"}
    assert (rows[0]["tokens_in"], rows[3]["http_status"], rows[3]["failure"]) == ("120", "429", "rate_limited")


def test_the_file_can_be_of_one_run(client, project, connection):
    spend(connection, 7, calls=1)
    spend(connection, 8, calls=2)
    assert len(lines(client, project, "?run=8")) == 5


def test_the_file_holds_no_cell_that_a_spreadsheet_runs(client, project):
    connection = make_connection(project, "=HYPERLINK(1)", model="@SUM(1)")
    fill(connection, 1)
    LlmCall.objects.update(model="+1")
    row = lines(client, project)[0]
    assert (row["connection"], row["model"]) == ("'=HYPERLINK(1)", "'+1")


def test_the_file_of_another_project_is_its_own(client, project):
    spend(make_connection(make_project(make_user())), 7)
    assert lines(client, project) == []


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_the_cap_outside_runs_is_set_in_dollars(client, project, headers):
    answer = client.post(url(project, "cap"), {"cap": "2.5"}, headers=headers)
    assert answer.status_code in {200, 303}
    assert Budget.objects.get(run=0).cap_nano == 2_500_000_000


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("cap", ["", "-1", "ten", "2000000"])
def test_a_cap_that_cannot_be_comes_back_with_its_error(client, project, headers, cap):
    set_cap(project=project, run=0, cap_nano=7)
    answer = client.post(url(project, "cap"), {"cap": cap}, headers=headers)
    assert (answer.status_code, 'aria-invalid="true"' in answer.content.decode()) == (422, True)
    assert Budget.objects.get().cap_nano == 7


def test_the_file_comes_in_blocks_under_asgi_too(client, project, connection, async_client):
    fill(connection, 3)
    async_client.force_login(project.created_by)

    async def read():
        answer = await async_client.get(url(project, "ledger-csv"))
        return [part async for part in answer.streaming_content]

    blocks = [block.decode() for block in async_to_sync(read)()]
    assert [block.count("\r\n") for block in blocks] == [1, 3]
