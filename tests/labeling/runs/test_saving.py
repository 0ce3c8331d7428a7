"""What a run took beside what asking a language model about every row would take: Table 4 of the paper."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.models import ReviewItem, Verdict
from labeling.labels.queries import people_time
from labeling.llm.models import LlmCall
from labeling.llm.queries import Totals
from labeling.runs.models import LlmPilot, PoolMember, Run
from labeling.runs.pilots.figures import Measured
from labeling.runs.saving import measure_of_others, saving_of, saving_of_people
from labeling.runs.verification import missing_nano, verification_of
from tests.labeling.asked import make_answer, make_call, make_connection, make_member, make_spent, make_verified
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.piloted import measured

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client):
    user = make_user("ann")
    client.force_login(user)
    return user


@pytest.fixture
def run(user):
    """A run of a hundred rows that people review; forty wait for them."""
    found = make_run(make_dataset(make_project(user), [f"text {n}" for n in range(100)]), hard=set(range(40)))
    make_member(found)
    return found


@pytest.fixture
def connection(run):
    return make_connection(run.project)


def page_of(client, run):
    response = client.get(reverse("runs:detail", args=[run.project.slug, run.number]))
    return " ".join(response.content.decode().split())


def rows_of(html, caption="What this run took"):
    """The cells of the table, by the name of the row."""
    table = html.partition(caption)[2].partition("</table>")[0]
    lines = [line.partition('<th scope="row">')[2] for line in table.split("</tr>")]
    return {name: cells_of(rest) for name, _, rest in (line.partition("</th>") for line in lines) if name}


def cells_of(line):
    return [cell.rpartition(">")[2] for cell in line.split("</td>")[:-1]]


def reuse(run, connection, count=3, **call):
    """The first texts have answers whose calls another run had made."""
    for sample in run.dataset.samples.order_by("position")[:count]:
        make_answer(run, sample, connection, call=make_call(run, sample, connection, run=999, **call))


def test_the_saving_is_that_of_the_papers_table_4(run):
    run.row_count, run.draws = 1_000, 2
    totals = Totals(stored=100, lost=2, tokens_in=10_000, tokens_out=2_000, cost_nano=5_000_000)
    found = saving_of(run, totals, 3)
    assert (found.calls, found.tokens, found.cost_nano) == (102, 12_000, 5_000_000)
    assert (found.all_calls, found.all_tokens, found.all_nano) == (6_000, 720_000, 300_000_000)
    assert found.share == pytest.approx(1 - 5 / 300)
    assert (found.calls_share, found.tokens_share) == pytest.approx((1 - 102 / 6_000, 1 - 12 / 720))
    assert saving_of(run, Totals(failed=3), 1) is None
    assert found.nano_a_label is None
    run.verified = 40
    assert saving_of(run, totals, 3).nano_a_label == 125_000


def test_calls_that_cost_nothing_save_no_money(run):
    found = saving_of(run, Totals(stored=10, tokens_in=100), 1)
    assert (found.share, found.tokens_share) == (None, 0.9)


def test_a_run_whose_answers_were_all_at_hand_cost_nothing_and_is_measured_by_them(client, run, connection):
    make_verified(run, connection, asking=0, verified=3)
    reuse(run, connection)
    html = page_of(client, run)
    assert "Every answer was at hand from earlier work: nothing was asked, and nothing is to be paid." in html
    assert "Nothing was asked yet." not in html
    assert rows_of(html) == {
        "Calls": ["0", "100", "100.0%"],
        "Tokens": ["0", "12,000", "100.0%"],
        "Money": ["$0.00", "$0.014", "100.0%"],
        "Asking time": ["none", "51 s", "100.0%"],
    }
    assert "at 120 tokens and $0.00014 a call, the mean of 3 calls whose answers were at hand." in html
    assert "Time is that of one call after the other." in html
    assert "A label cost $0.00." in html


def test_reused_answers_measure_what_is_missing_while_rows_still_wait(client, run, connection):
    make_verified(run, connection, asking=30, verified=3, cap=1)
    reuse(run, connection, 1)
    assert missing_nano(run, verification_of(run)) == 30 * 140_000 - 1
    html = page_of(client, run)
    assert "as the 1 call took whose answer was at hand." in html
    assert rows_of(html)["Calls"] == ["0", "100"]


def test_of_many_reused_answers_some_are_looked_at(run, connection, monkeypatch):
    monkeypatch.setattr("labeling.runs.saving.REUSED_CALLS", 2)
    make_verified(run, connection)
    reuse(run, connection, 5)
    assert verification_of(run).saving.measure.calls == 2


def test_calls_that_all_failed_are_no_measure_but_something_was_asked(client, run, connection):
    make_verified(run, connection, asking=30)
    make_spent(run, connection, stored=0, failed=1)
    html = page_of(client, run)
    assert "Nothing was answered yet." in html
    assert "1 call failed and cost nothing." in html
    assert rows_of(html) == {}


@pytest.fixture
def timed(run, connection):
    """Ten answers within twenty seconds of one minute, of which each took four: two at a time."""
    make_verified(run, connection, asking=0, verified=10)
    make_spent(run, connection, stored=10, latency_ms=40_000)
    began = timezone.now() - timedelta(hours=3)
    samples = list(run.dataset.samples.order_by("position")[:10])
    for number, sample in enumerate(samples):
        sent = began + timedelta(seconds=4 * (number // 2))
        make_call(run, sample, connection, created_at=sent, settled_at=sent + timedelta(seconds=4))
    return run


def test_every_row_takes_the_time_at_the_rate_that_was_measured(client, timed):
    PoolMember.objects.update(seconds=90)
    found = verification_of(timed).saving
    assert (found.asked_s, found.measure.calls_a_s, found.all_s, found.vote_s) == (20, 0.5, 200, 90)
    assert found.time_share == pytest.approx(0.9)
    html = page_of(client, timed)
    assert rows_of(html)["Asking time"] == ["20 s", "about 3 min", "90.0%"]
    assert rows_of(html)["Voting time"] == ["about 2 min", "–", ""]
    assert "Time is at 0.5 answers a second, as measured while they were asked for." in html


def test_a_pause_is_no_time_of_asking(timed, connection):
    newest = LlmCall.objects.latest("id")
    later = newest.settled_at + timedelta(hours=2)
    LlmCall.objects.filter(pk=newest.pk).update(settled_at=later)
    make_spent(timed, connection, stored=1, latency_ms=4_000)
    assert verification_of(timed).saving.asked_s == 120


def test_what_was_not_timed_is_left_out_with_a_word(client, run, connection):
    make_verified(run, connection, asking=0, verified=10)
    make_spent(run, connection)
    html = page_of(client, run)
    assert list(rows_of(html)) == ["Calls", "Tokens", "Money"]
    assert "These calls were not timed." in html


def test_one_of_everything_is_told_in_the_singular(client, user):
    run = make_run(make_dataset(make_project(user), ["one"]))
    make_member(run)
    connection = make_connection(run.project)
    make_verified(run, connection, asking=0, verified=1)
    make_spent(run, connection, stored=1, lost=2, failed=2, tokens_in=1, tokens_out=0)
    html = page_of(client, run)
    assert "Every row: 1 row, one call each, at 1 token and $0.00014 a call, as the 1 answered here took." in html
    assert "2 calls were paid without an answer. 2 calls failed and cost nothing." in html


def answer(run, user, count, elapsed_ms):
    class_id = run.project.classes.first().pk
    for item in ReviewItem.objects.filter(run=run, state="open").order_by("pk")[:count]:
        given = {"item_id": item.pk, "project": run.project, "user_id": user.pk, "class_id": class_id}
        decide(client_id=uuid4(), elapsed_ms=elapsed_ms, **given)


def test_people_are_timed_by_what_they_gave_and_two_minutes_at_most(run, user):
    assert people_time(run) is None
    answer(run, user, 2, 6_000)
    answer(run, user, 1, 500_000)
    answer(run, user, 1, None)
    undo(project=run.project, user_id=user.pk, client_id=uuid4())
    found = people_time(run)
    assert (found.seconds, found.timed, found.untimed) == (132, 3, 1)
    other = make_run(make_dataset(run.project, ["elsewhere"]))
    answer(other, user, 1, 9_000)
    assert people_time(run) == found


def test_a_run_by_people_without_a_measure_says_what_to_do(client, run, user):
    assert saving_of_people(run) is None
    html = page_of(client, run)
    assert "none has answered about rows of this project yet" in html
    assert f'href="{reverse("overview:pilots", args=[run.project.slug])}"' in html
    assert "answers of people took" not in html
    answer(run, user, 2, 30_000)
    assert "2 answers of people took about 1 min." in page_of(client, run)


def test_a_run_by_people_is_set_beside_what_a_pilot_measured(client, run, user, connection):
    pilot = measured(run, [connection])
    answer(run, user, 2, 90_000)
    answer(run, user, 1, None)
    html = page_of(client, run)
    assert "This run so far" in html
    assert rows_of(html) == {
        "Calls": ["0", "100"],
        "Tokens": ["0", "21,000"],
        "Money": ["$0.00", "$0.017"],
        "Asking time": ["none", "50 s"],
        "People's time": ["about 3 min", "–"],
    }
    assert "at 210 tokens and $0.00017 a call, the mean of 60 calls in" in html
    assert f'?pilot={pilot.pk}">a pilot</a>. Time is that of one call after the other.' in html
    assert "1 answer of a person came without a time and is not counted." in html


def test_a_run_by_people_is_set_beside_what_another_run_measured(client, timed, user):
    """On other data, at the rate of that run, and with as many calls a row."""
    Run.objects.filter(pk=timed.pk).update(draws=2, state="done")
    other = make_run(make_dataset(timed.project, [f"other {n}" for n in range(10)]))
    make_member(other)
    found = saving_of_people(other)
    assert (found.measure.run, found.all_calls, found.all_nano, found.all_s) == (timed, 20, 2_800_000, 40)
    html = page_of(client, other)
    assert "10 rows, 2 calls each, at 120 tokens and $0.00014 a call, the mean of 10 calls in" in html
    assert f'runs/{timed.number}">run {timed.number}</a> on other data, {timed.dataset}.' in html


def test_the_measure_on_the_same_data_comes_first_then_the_newest(run, connection):
    elsewhere = make_run(make_dataset(run.project, ["other"]))
    make_verified(elsewhere, connection)
    make_spent(elsewhere, connection)
    assert measure_of_others(run).run == elsewhere
    first = measured(run, [connection])
    assert measure_of_others(run).pilot == first
    newer = measured(elsewhere, [connection])
    assert measure_of_others(run).pilot == first
    assert measure_of_others(elsewhere).pilot == newer
    LlmPilot.objects.filter(pk=newer.pk).update(created_at=elsewhere.created_at - timedelta(days=1))
    assert measure_of_others(elsewhere).run == elsewhere


def test_a_pilot_that_nobody_answered_is_no_measure(run, connection):
    measured(run, [connection], measured=(Measured(connection.pk, 0, 0.0, 0.0, 0.0, 0.0),))
    assert measure_of_others(run) is None


@pytest.mark.parametrize("count", [1, 3])
def test_more_pilots_runs_and_answers_take_no_more_queries(
    client, run, user, connection, count, django_assert_num_queries
):
    for number in range(count):
        other = make_run(make_dataset(run.project, [f"other {number}"]))
        make_verified(other, connection)
        make_spent(other, connection)
        measured(other, [connection])
    answer(run, user, count, 5_000)
    assert Verdict.objects.count() == count
    page_of(client, run)
    with django_assert_num_queries(16):
        page_of(client, run)
