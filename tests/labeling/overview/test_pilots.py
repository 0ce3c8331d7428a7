"""The page of pilots, and what the forecast takes from one."""

import pytest
from django.urls import reverse

from annotator_core.verifiers.forecast import ACCEPTED_RIGHT
from labeling.jobs.models import Job
from labeling.labels.models import Consensus
from labeling.overview.forecast.report import Wish, forecast_of
from labeling.projects.models import Role
from labeling.runs.asking_form import Asking
from labeling.runs.models import AnswerUse, AskStrategy, LlmPilot, PilotRow
from labeling.runs.pilots.figures import Counted, Measured
from tests.labeling.asked import DOLLAR, make_connection, make_spent
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.overview.test_forecast import by, fact, with_votes
from tests.labeling.piloted import measured, with_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user("ann"))


@pytest.fixture
def manager(client, project):
    user = make_user("manager")
    add_member(project, user, Role.MANAGER)
    client.force_login(user)
    return user


def address(project, name="pilots", **words):
    return reverse(f"overview:{name}", kwargs={"slug": project.slug} | words)


def page(client, project, **data):
    return " ".join(client.get(address(project), data).content.decode().split())


def test_a_pilots_tokens_accuracy_and_doubts_feed_the_forecast(project):
    run, connection = with_votes(project), make_connection(project, price=(10, 0, 20))
    measured(run, [connection])
    found = forecast_of(project, run.dataset, by(connection), Wish())
    tokens = fact(found, "Tokens a call")
    assert (tokens.value, tokens.is_measured) == ("200 in, 10 out", True)
    assert tokens.source.startswith("the pilot of ")
    assert fact(found, "A call").value == "$0.0017"
    assert fact(found, "The model on hard rows").source == "the pilot, 60 rows"
    assert fact(found, "The model on hard rows").value == "75.0%"
    assert fact(found, "The model fused with the votes").value == "90.0%"
    assert fact(found, "The pool on hard rows").value == "50.0%"
    assert fact(found, "Rows it leaves to people").value == "10.0%"
    assert fact(found, "The same where people see what it is not sure of").value == "50.0%"
    assert found.is_model_measured


def test_the_forecast_follows_the_plan(project):
    """Replacing counts the answer alone, another threshold other rows for people, more draws more calls."""
    run, connection = with_votes(project), make_connection(project, price=(10, 0, 20))
    measured(run, [connection])
    replaced = forecast_of(project, run.dataset, by(connection, answer_use=AnswerUse.REPLACE), Wish())
    fused = forecast_of(project, run.dataset, by(connection), Wish())
    hard_right = 0.1 + 0.9 * 0.75
    assert replaced.lines[1].option.accuracy == pytest.approx(0.75 * ACCEPTED_RIGHT.share + 0.25 * hard_right)
    assert replaced.lines[1].option.accuracy < fused.lines[1].option.accuracy
    name = "The same where people see what it is not sure of"
    assert fact(replaced, name).value == "10.0%"
    strict = by(connection, answer_use=AnswerUse.REPLACE, sure_from=0.95)
    assert fact(forecast_of(project, run.dataset, strict, Wish()), name).value == "100.0%"
    thrice = forecast_of(project, run.dataset, by(connection, draws=3), Wish())
    assert thrice.lines[1].option.llm_nano == 3 * fused.lines[1].option.llm_nano
    assert fact(thrice, "The model on hard rows").source.startswith("not measured yet")


def test_what_a_pilot_asked_again_is_paid_for_in_the_forecast(project):
    run, connection = with_votes(project), make_connection(project, price=(10, 0, 20))
    measured(run, [connection], measured=(Measured(connection.pk, 66, 200.0, 50.0, 10.0, 0.5),))
    found = forecast_of(project, run.dataset, by(connection), Wish())
    assert fact(found, "Calls a row").value == "1.10"
    assert found.lines[1].option.calls == 28
    assert found.lines[1].option.llm_nano == round(25 * 1.1 * 1_700_000)


def test_several_models_add_up_their_prices_and_times(project):
    run = with_votes(project)
    cheap, dear = make_connection(project, price=(10, 0, 20)), make_connection(project, "Dear", price=(100, 0, 200))
    for one in (cheap, dear):
        make_spent(run, one, stored=50, latency_ms=50 * 800)
    found = forecast_of(project, run.dataset, by(cheap, dear), Wish())
    option = found.lines[1].option
    assert (option.calls, option.llm_nano) == (50, 25 * (1_400_000 + 14_000_000))
    assert option.llm_hours == pytest.approx(25 * 2 * 0.8 / 8 / 3600)
    assert fact(found, "A call, Dear").value == "$0.014"


def test_one_model_without_a_price_leaves_people_alone(project):
    run = with_votes(project)
    both = by(make_connection(project), make_connection(project, "Free", price=None))
    assert [line.option.mode for line in forecast_of(project, run.dataset, both, Wish()).lines] == ["human"]


def test_a_pilot_of_few_known_rows_or_of_random_rows_measures_no_accuracy(project):
    run, connection = with_votes(project), make_connection(project)
    measured(run, [connection], rows=40)
    found = forecast_of(project, run.dataset, by(connection), Wish())
    assert fact(found, "The model on hard rows").source.startswith("not measured yet")
    assert fact(found, "Tokens a call").value == "200 in, 10 out"
    random = measured(run, [connection], rows=80)
    LlmPilot.objects.filter(pk=random.pk).update(run=None)
    assert not forecast_of(project, run.dataset, by(connection), Wish()).is_model_measured


def test_a_pilot_in_other_words_gives_tokens_only_where_there_is_no_better(project):
    run, connection = with_votes(project), make_connection(project)
    other = measured(run, [connection])
    LlmPilot.objects.filter(pk=other.pk).update(ask_strategy="chain-of-thought")
    thinking = by(connection, strategy=AskStrategy.CHAIN_OF_THOUGHT)
    assert fact(forecast_of(project, run.dataset, thinking, Wish()), "The model on hard rows").value == "75.0%"
    found = forecast_of(project, run.dataset, by(connection), Wish())
    assert (fact(found, "Tokens a call").value, found.is_model_measured) == ("200 in, 10 out", False)
    make_spent(run, connection, stored=50)
    assert fact(forecast_of(project, run.dataset, by(connection), Wish()), "Tokens a call").value == "100 in, 20 out"


def test_a_worse_model_is_warned_of_by_a_pilot(client, project, manager):
    run, connection = with_votes(project), make_connection(project)
    measured(run, [connection], right=Counted(20, 60))
    html = " ".join(client.get(address(project, "forecast")).content.decode().split())
    assert "On hard rows the model is right on 33.3%, the specialists on 50.0%." in html
    assert "was not measured on your rows" not in html


def test_the_forecast_offers_a_pilot_and_hands_its_plan_over(client, project, manager):
    run, connection = with_votes(project), make_connection(project)
    asked = {"verifiers": [connection.pk], "ask_strategy": "chain-of-thought", "draws": 3, "answer_use": "replace"}
    html = client.get(address(project, "forecast"), asked | {"dataset": run.dataset.pk, "target": "70", "hour": "900"})
    html = " ".join(html.content.decode().split())
    assert "The model was not measured on your rows" in html
    words = f"dataset={run.dataset.pk}&amp;verifier={connection.pk}&amp;answer_use=replace"
    assert f"/runs/pilots?{words}&amp;ask_strategy=chain-of-thought&amp;draws=3" in html
    assert "ask_strategy=chain-of-thought&amp;draws=3" in html.split("/runs/new?")[1].split('"')[0]


@pytest.mark.parametrize(
    ("has_data", "has_model", "words"),
    [
        (False, True, "No data to ask about yet"),
        (True, False, "No language model is connected"),
        (True, True, "No pilot yet"),
    ],
)
def test_the_page_says_what_is_missing(client, project, manager, has_data, has_model, words):
    if has_data:
        make_dataset(project, ["a", "b"])
    if has_model:
        make_connection(project)
    html = page(client, project)
    assert [one for one in ("No data to ask", "No language model is", "No pilot yet") if one in html] == [
        one for one in ("No data to ask", "No language model is", "No pilot yet") if words.startswith(one)
    ]


def test_the_price_stands_there_before_anything_is_asked(client, project, manager):
    dataset, connection = make_dataset(project, ["four words of text"] * 40), make_connection(project)
    html = page(client, project)
    assert "40 calls, about" in html
    assert "in the worst case" in html
    data = {"dataset": dataset.pk, "rows": 10, "verifiers": [connection.pk], "draws": 2, "price": "1"}
    answer = client.post(address(project), data, headers={"HX-Request": "true"})
    assert (answer.status_code, LlmPilot.objects.count()) == (200, 0)
    assert "20 calls, about" in " ".join(answer.content.decode().split())


def test_asking_starts_a_pilot_with_its_cap(client, project, manager):
    run, connection = with_votes(project), make_connection(project)
    data = {"dataset": run.dataset.pk, "rows": 20, "verifiers": [connection.pk], "cap": "0.25"}
    assert client.post(address(project), data).status_code == 303
    found = LlmPilot.objects.get()
    assert (found.run, found.wanted, found.cap_nano, found.created_by) == (run, 20, DOLLAR // 4, manager)
    assert list(found.connections.all()) == [connection]
    html = page(client, project)
    assert "Stop" in html
    assert f'data-live-topic="pilot:{found.pk}"' in html
    client.post(address(project, "pilot-act", pilot_id=found.pk, verb="stop"))
    assert Job.objects.get(kind="pilot").state == "cancelled"


@pytest.mark.parametrize("changed", [{"rows": "0"}, {"rows": "501"}, {"verifiers": []}, {"draws": "99"}, {"cap": "-1"}])
def test_what_cannot_be_is_told_beside_its_field(client, project, manager, changed):
    dataset, connection = make_dataset(project, ["a"] * 9), make_connection(project)
    data = {"dataset": dataset.pk, "rows": 5, "verifiers": [connection.pk]} | changed
    answer = client.post(address(project), data, headers={"HX-Request": "true"})
    assert (answer.status_code, LlmPilot.objects.count()) == (422, 0)
    assert "field-error" in answer.content.decode()


def test_a_model_without_a_price_is_not_asked(client, project, manager):
    dataset, connection = make_dataset(project, ["a"]), make_connection(project, price=None)
    assert "A model has no price for today" in page(client, project)
    answer = client.post(address(project), {"dataset": dataset.pk, "rows": 1, "verifiers": [connection.pk]})
    assert (answer.status_code, LlmPilot.objects.count()) == (422, 0)


def test_what_was_found_stands_on_the_page(client, project, manager):
    run, connection = with_votes(project), make_connection(project)
    with_rows(measured(run, [connection]))
    html = page(client, project)
    assert "Rows that go to people, by how sure an answer must be" in html
    assert html.count("Wrong") == 1
    assert "75.0%" in html
    assert "90.0%" in html
    assert "sealed-secret" not in html


def test_the_projects_home_names_a_pilot(client, project, manager):
    found = measured(with_votes(project), [make_connection(project)])
    html = client.get(reverse("overview:project", args=[project.slug])).content.decode()
    assert "Pilot: a language model on" in html
    assert f"/runs/pilots?pilot={found.pk}" in html


@pytest.mark.parametrize("wanted", ["x", "999999", "-1"])
def test_no_such_pilot_is_not_found(client, project, manager, wanted):
    measured(with_votes(project), [make_connection(project)])
    assert client.get(address(project), {"pilot": wanted}).status_code == 404
    assert client.post(address(project, "pilot-act", pilot_id=999_999, verb="stop")).status_code == 404


def test_a_strangers_pilot_is_not_found(client, project, manager):
    other = make_project(make_user("other"))
    found = measured(with_votes(other), [make_connection(other)])
    assert client.get(address(project), {"pilot": found.pk}).status_code == 404
    assert client.post(address(project, "pilot-act", pilot_id=found.pk, verb="stop")).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_more_pilots_and_rows_take_no_more_queries(client, project, manager, count, django_assert_num_queries):
    run, connection = with_votes(project), make_connection(project)
    for _number in range(count):
        found = measured(run, [connection])
    for row in Consensus.objects.filter(run=run)[:count]:
        PilotRow.objects.create(pilot=found, sample=row.sample, pool_class=row.label_class)
    page(client, project)
    with django_assert_num_queries(31):
        client.get(address(project))


def test_what_is_proposed_stands_in_the_form(client, project, manager):
    make_dataset(project, ["new"])
    connection = make_connection(project)
    html = page(client, project, verifier=str(connection.pk), draws="4", ask_strategy="chain-of-thought")
    assert 'name="draws" value="4"' in html
    assert Asking().draws == 1
