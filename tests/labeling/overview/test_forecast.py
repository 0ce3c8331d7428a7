"""The forecast: which figures it takes from the project, what it says of them, and its page."""

from itertools import product
from urllib.parse import parse_qs

import pytest
from django.urls import reverse

from annotator_core.verifiers.forecast import ACCEPTED_RIGHT, LLM_HARD_RIGHT, POOL_HARD_RIGHT, UNSURE
from labeling.labels.models import Consensus, Label
from labeling.overview.forecast.report import Wish, forecast_of
from labeling.overview.forecast.votes import left_to_people, model_on_audits, pilot_of, pool_on_hard
from labeling.projects.models import Role
from labeling.runs.asking_form import Asking
from labeling.runs.models import PoolMember, Run
from labeling.specialists.models import Specialist, SpecialistVersion
from tests.labeling.asked import DOLLAR, make_answer, make_connection, make_spent, make_verified
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.quality.made_assessments import make_assessment, make_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user("ann"))


def with_votes(project, hard=25, rows=100):
    """A voted run of three specialists: every hard row has one vote against two."""
    run = make_run(make_dataset(project, [f"text {n}" for n in range(rows)]), hard=set(range(hard)))
    Consensus.objects.filter(run=run, route="accept").update(uncertainty=0)
    classes = [one.pk for one in project.classes.all()]
    fields = {"number": 1, "weights_hash": "x", "model_labels": [], "targets": [], "max_length": 9}
    for position in range(3):
        own = Specialist.objects.create(project=project, name=f"s{position}", source="folder", location="x")
        version = SpecialistVersion.objects.create(specialist=own, class_ids=classes, **fields)
        PoolMember.objects.create(generation=run.generations.get(), version=version, position=position)
    return run


def decide(run, count, right):
    """People decide so many of the hard rows, `right` of them as the pool."""
    rows = Consensus.objects.filter(run=run, route="review").order_by("sample__position")[:count]
    classes = list(run.project.classes.values_list("id", flat=True))
    for place, row in enumerate(rows):
        other = next(one for one in classes if one != row.label_class_id)
        class_id = row.label_class_id if place < right else other
        Label.objects.create(sample=row.sample, label_class_id=class_id, source="human", created_at=run.created_at)


def by(*connections, **how):
    """The models of a plan and how they are asked."""
    return Asking(connections, **how)


def fact(found, name):
    return next(one for one in found.facts if one.name == name)


def test_without_votes_everything_is_assumed_and_said_to_be(project):
    dataset = make_dataset(project, ["a"] * 40)
    found = forecast_of(project, dataset, Asking(), Wish())
    assert (found.n_hard, found.pilot, found.epsilon, found.epsilons) == (10, None, None, [])
    assert [line.option.mode for line in found.lines] == ["human"]
    assert fact(found, "Rows with any disagreement").source.startswith("no votes yet")
    assert not any(one.is_measured for one in found.facts)


def test_votes_of_the_newest_run_give_the_hard_share_and_the_rules(project):
    run = with_votes(project)
    found = forecast_of(project, run.dataset, Asking(), Wish())
    assert (found.n_hard, found.pilot.rows, found.pilot.members) == (25, 100, 3)
    assert [(one.min_agree, one.hard_share, one.is_advised) for one in found.epsilons] == [
        (3, 0.25, True),
        (2, 0.0, False),
        (1, 0.0, False),
    ]
    assert fact(found, "Rows with any disagreement").source == "votes of run 1 on 100 random rows"


def with_three_ways(project, rows=4_000):
    """Votes where 15 of 100 rows have one vote against two, and 10 three different ones; a call costs $0.0014.

    The data set to forecast has so many rows, and no votes of its own.
    """
    run, connection = with_votes(project), make_connection(project, price=(10, 0, 20))
    split = Consensus.objects.filter(run=run, route="review").order_by("sample__position")[:10]
    Consensus.objects.filter(pk__in=[row.pk for row in split]).update(uncertainty=2 / 3)
    make_spent(run, connection, stored=50)
    return make_dataset(project, ["text"] * rows), connection


def test_each_rule_has_its_price_and_accuracy(project):
    dataset, connection = with_three_ways(project)
    found = forecast_of(project, dataset, by(connection), Wish())
    strict, loose, none = found.epsilons
    assert [round(one.hard_share, 9) for one in found.epsilons] == [0.25, 0.1, 0.0]
    assert (strict.nano, loose.nano, none.nano) == (1_000 * 1_400_000, 400 * 1_400_000, 0)
    both = found.best.option
    assert both.mode == "llm_then_human"
    assert (strict.accuracy, strict.human_seconds) == pytest.approx((both.accuracy, both.human_hours * 3600))
    assert loose.human_seconds == pytest.approx(0.4 * strict.human_seconds)
    assert none.accuracy == pytest.approx(0.75 * ACCEPTED_RIGHT.share + 0.25 * POOL_HARD_RIGHT.share)
    assert loose.accuracy == pytest.approx(none.accuracy + 0.4 * (strict.accuracy - none.accuracy))


@pytest.mark.parametrize(
    ("rows", "min_agree", "mode"),
    [(1_000, 3, "llm_then_human"), (999, 2, "llm_then_human"), (400, 2, "llm_then_human"), (399, 3, "human")],
)
def test_the_advised_rule_is_the_strictest_that_the_cap_pays_for(project, rows, min_agree, mode):
    """Where it pays for none people review, and a cap on calls takes no row from them."""
    dataset, connection = with_three_ways(project)
    found = forecast_of(project, dataset, by(connection), Wish(cap_nano=rows * 1_400_000))
    assert (found.epsilon.min_agree, found.best.option.mode) == (min_agree, mode)
    assert [one.min_agree for one in found.epsilons if one.is_advised] == [min_agree]
    assert found.n_hard == {3: 1_000, 2: 400}[min_agree]


@pytest.mark.parametrize(("target", "min_agree"), [(0.81, 3), (0.74, 3), (0.73, 2), (0.69, 2), (0.68, 1)])
def test_with_a_target_the_loosest_rule_that_reaches_it_is_advised(project, target, min_agree):
    dataset, _connection = with_three_ways(project)
    found = forecast_of(project, dataset, Asking(), Wish(target=target))
    assert [one.accuracy for one in found.epsilons] == pytest.approx([0.8125, 0.736, 0.685])
    assert found.epsilon.min_agree == min_agree
    assert found.epsilon.reason.endswith(f"no rule with fewer hard rows is expected to reach {target:.1%}.")


CAPS = (None, 0, 0.01, 0.55, 0.57, 1.39, 1.4, 50)
TARGETS = (None, 50, 68, 70, 72, 74, 76, 80, 99)


@pytest.mark.parametrize("hour", ["", "1", "30"])
def test_recommendation_advice_and_plan_agree_for_all_caps_and_targets(client, project, hour):
    """Each page: one rule is advised, its line says what is recommended, and the plan begins with both."""
    dataset, _connection = with_three_ways(project)
    user = make_user()
    add_member(project, user, Role.MANAGER)
    client.force_login(user)
    for cap, target in product(CAPS, TARGETS):
        data = {"dataset": dataset.pk, "hour": hour, "cap": "" if cap is None else cap, "target": target or ""}
        response = client.get(reverse("overview:forecast", args=[project.slug]), data)
        found, plan = response.context["found"], parse_qs(response.context["plan_query"])
        best = found.best.option
        (advised,) = [one for one in found.epsilons if one.is_advised]
        assert (advised.min_agree, advised.hard_share) == (found.epsilon.min_agree, found.epsilon.hard_share)
        told = (advised.accuracy, advised.nano, advised.human_seconds, round(advised.hard_share * 4_000))
        assert told == (best.accuracy, best.total_nano, best.human_hours * 3600, found.n_hard)
        assert cap is None or best.llm_nano <= cap * DOLLAR
        assert plan["mode"] == [best.mode]
        assert plan.get("min_agree", ["3"]) == [str(advised.min_agree)]
        words = words_of(response)
        assert words.count("Recommended") == words.count("Advised") == 1
        assert f"Reviewed by: {found.best.name}." in words
        if best.mode == "human" and target is None:
            assert advised.min_agree == 3
        if target is not None:
            is_said = "The least effort that is expected to reach" in best.reason
            assert is_said == (best.accuracy >= target / 100)


def test_the_page_advises_epsilon_and_beta(client, project):
    dataset, _connection = with_three_ways(project)
    html = words_of(page_of(client, project, dataset=dataset.pk, cap="0.60"))
    assert "2 of 3 must agree; about 10% of the rows are hard then." in html
    assert "The next stricter rule, 25%, is more than you allow." in html
    assert "People answer 120 rows instead of 400" in html
    assert "Reviewed by: A language model, then a person." in html
    assert "About 400 hard rows are expected; a round that its gate can judge needs 750." in html
    assert "min_agree=2" in html


def test_a_cap_that_pays_for_no_rule_leaves_every_disputed_row_to_people(client, project):
    dataset, _connection = with_three_ways(project, rows=100)
    html = words_of(page_of(client, project, dataset=dataset.pk, cap="0.01"))
    assert "The calls would cost $0.04, above the cap of $0.01" in html
    assert "3 of 3 must agree; about 25% of the rows are hard then. Any disagreement is reviewed" in html
    assert "Reviewed by: A person." in html
    assert "min_agree" not in html


def test_votes_on_another_data_set_are_named(project):
    run = with_votes(project)
    other = make_dataset(project, ["b"] * 200)
    found = forecast_of(project, other, Asking(), Wish())
    assert found.n_hard == 50
    assert f"another data set, {run.dataset}" in fact(found, "Rows with any disagreement").source


def test_an_empty_runs_votes_are_none(project):
    run = with_votes(project)
    Run.objects.update(state="cancelled")
    assert pilot_of(project, run.dataset) is None


def test_a_model_without_calls_is_priced_by_its_prompts(project):
    dataset = make_dataset(project, ["four words of text"] * 400)
    found = forecast_of(project, dataset, by(make_connection(project)), Wish())
    assert not fact(found, "Tokens a call").is_measured
    assert [line.option.mode for line in found.lines] == ["human", "llm", "llm_then_human"]
    assert found.all_nano == 4 * found.lines[1].option.llm_nano > 0


def test_earlier_calls_give_tokens_at_todays_price(project):
    run, connection = with_votes(project), make_connection(project, price=(10, 0, 20))
    make_spent(run, connection, stored=50, latency_ms=50 * 700)
    found = forecast_of(project, run.dataset, by(connection), Wish())
    assert fact(found, "Tokens a call").value == "100 in, 20 out"
    assert fact(found, "A call").value == "$0.0014"
    assert found.lines[1].option.llm_nano == 25 * 1_400_000


def test_the_newest_run_that_asked_is_the_pilot_and_its_draws_count(project):
    """Other runs ask in other words: tokens of the newest one, as many calls a row as it drew."""
    old, connection = make_run(make_dataset(project, ["old"])), make_connection(project, price=(10, 0, 20))
    run = with_votes(project)
    make_spent(old, connection, stored=500, tokens_in=500 * 9_000)
    make_spent(run, connection, stored=60, purpose="search", tokens_in=60 * 7_000)
    assert fact(forecast_of(project, run.dataset, by(connection), Wish()), "Tokens a call").value == "9,000 in, 20 out"
    make_spent(run, connection, stored=75)
    found = forecast_of(project, run.dataset, by(connection, draws=3), Wish())
    tokens = fact(found, "Tokens a call")
    assert (tokens.value, tokens.source) == ("100 in, 20 out", f"run {run.number}, mean of 75 answered calls")
    assert (fact(found, "Calls a row").value, found.lines[1].option.calls) == ("3", 75)
    assert found.lines[1].option.llm_nano == 75 * 1_400_000
    assert found.all_nano == 300 * 1_400_000


def test_a_model_without_a_price_is_not_compared(project):
    dataset = make_dataset(project, ["a"] * 40)
    found = forecast_of(project, dataset, by(make_connection(project, price=None)), Wish())
    assert ([line.option.mode for line in found.lines], found.all_nano) == (["human"], None)
    assert fact(found, "Price").value == "none yet"


def test_few_decisions_measure_nothing_and_fifty_do(project):
    run = with_votes(project, hard=80)
    decide(run, 49, 30)
    found = forecast_of(project, run.dataset, Asking(), Wish())
    assert fact(found, "The pool on hard rows").value == f"{POOL_HARD_RIGHT.share:.1%}"
    Label.objects.filter(source="human").delete()
    decide(run, 60, 30)
    assert (pool_on_hard(run).hits, pool_on_hard(run).rows) == (30, 60)
    found = forecast_of(project, run.dataset, Asking(), Wish())
    assert fact(found, "The pool on hard rows").value == "50.0%"


def test_the_audit_says_how_right_accepted_labels_are(project):
    run = with_votes(project)
    assert ACCEPTED_RIGHT.share == 0.75
    make_assessment(run)
    found = fact(forecast_of(project, run.dataset, Asking(), Wish()), "Accepted labels that are right")
    assert (found.value, found.source, found.is_measured) == ("89.1%", "the audit, 221 rows", True)


def test_a_model_is_measured_on_audited_texts_alone(project):
    run, connection = with_votes(project, hard=100), make_connection(project)
    make_verified(run, connection)
    drawn = make_audit(run.dataset, drawn=4)
    hashes = set(drawn.rows.values_list("text_hash", flat=True))
    decide(run, 100, 100)
    for sample in run.dataset.samples.all():
        make_answer(run, sample, connection, "negative")
    found = model_on_audits(connection)
    truth = Label.objects.filter(source="human", sample__text_hash__in=hashes, label_class__name="negative").count()
    assert (found.rows, found.hits) == (len(hashes), truth)
    assert fact(forecast_of(project, run.dataset, by(connection), Wish()), "The model on hard rows").value == (
        f"{LLM_HARD_RIGHT.share:.1%}"
    )


@pytest.mark.parametrize("is_right", [False, True])
def test_a_model_that_is_worse_than_the_specialists_is_warned_of_before_a_run(client, project, is_right):
    run, connection = with_votes(project, hard=300, rows=300), make_connection(project)
    make_verified(run, connection)
    make_audit(run.dataset, drawn=55)
    decide(run, 300, 200)
    classes = list(project.classes.all())
    for label in Label.objects.filter(source="human").select_related("sample", "label_class"):
        own = label.label_class if is_right else next(one for one in classes if one != label.label_class)
        make_answer(run, label.sample, connection, own.name)
    html = words_of(page_of(client, project))
    words = "On hard rows the model is right on 0.0%, the specialists on 66.7%. Let a run fuse its answers"
    assert (words in html, "would make labels worse" in html) == (not is_right, not is_right)


def test_what_a_model_leaves_to_people_comes_from_a_run_that_is_through(project):
    run, connection = with_votes(project), make_connection(project)
    make_verified(run, connection, asking=5, verified=15, hard=25)
    assert left_to_people(project, by(connection)) == {}
    Run.objects.update(asking=0)
    counted = left_to_people(project, by(connection))["llm_then_human"]
    assert (counted.hits, counted.rows) == (10, 25)
    found = forecast_of(project, run.dataset, by(connection), Wish())
    name = "The same where people see what it is not sure of"
    assert fact(found, name).value == f"{UNSURE.share:.1%}"
    Run.objects.update(hard=100, verified=60)
    assert fact(forecast_of(project, run.dataset, by(connection), Wish()), name).value == "40.0%"


def test_the_figure_runs_from_nothing_reviewed_to_all_hard_rows(project):
    run = with_votes(project)
    found = forecast_of(project, run.dataset, by(make_connection(project)), Wish())
    assert (found.points[0].share, found.points[-1].share) == (0.0, 0.25)
    assert len(set(found.points[0].accuracies)) == 1
    last = [line.option.accuracy for line in found.lines]
    assert list(found.points[-1].accuracies) == pytest.approx(last)
    assert found.scale[0] < min(last) < max(last) < found.scale[1]


def page_of(client, project, role=Role.MANAGER, **data):
    user = make_user()
    if role:
        add_member(project, user, role)
    client.force_login(user)
    return client.get(reverse("overview:forecast", args=[project.slug]), data)


def words_of(response):
    return " ".join(response.content.decode().split())


def test_without_data_the_page_says_what_to_do(client, project):
    assert "No data to forecast for yet" in words_of(page_of(client, project))


def test_the_page_compares_and_recommends(client, project):
    run = with_votes(project)
    connection = make_connection(project)
    html = words_of(page_of(client, project, hour="30", target="99", cap="0.50"))
    assert html.count("Recommended") == 1
    assert "No mode is expected to reach 99.0%" in html
    assert f"/runs/new?dataset={run.dataset.pk}&amp;mode=human" in html
    assert connection.name in html
    assert "3 of 3 must agree; about 25% of the rows are hard then." in html
    assert "sealed-secret" not in html


def test_a_cap_below_the_calls_leaves_them_to_people(client, project):
    dataset = make_dataset(project, ["text"] * 1_000)
    found = forecast_of(project, dataset, by(make_connection(project)), Wish(cap_nano=DOLLAR // 10**6))
    assert (found.best.option.mode, "above the cap" in found.best.option.reason) == ("human", True)


def test_without_a_model_the_page_offers_to_connect_one(client, project):
    with_votes(project)
    html = words_of(page_of(client, project))
    assert "No language model is connected" in html
    assert reverse("llm:add", args=[project.slug]) in html


@pytest.mark.parametrize("data", [{"dataset": "x"}, {"verifiers": "-1"}, {"hour": "nan"}, {"target": "101"}])
def test_what_cannot_be_read_counts_as_not_said(client, project, data):
    with_votes(project)
    make_connection(project)
    assert page_of(client, project, **data).status_code == 200


@pytest.mark.parametrize(("role", "status"), [(None, 404), (Role.ANNOTATOR, 403), (Role.REVIEWER, 403)])
def test_the_forecast_is_for_managers(client, project, role, status):
    assert page_of(client, project, role).status_code == status


@pytest.mark.parametrize("count", [1, 3])
def test_more_runs_and_models_take_no_more_queries(client, project, count, django_assert_num_queries):
    run = with_votes(project)
    for number in range(count):
        make_run(make_dataset(project, ["x"] * 5))
        make_connection(project, f"m{number}")
    address = reverse("overview:forecast", args=[project.slug])
    page_of(client, project)
    with django_assert_num_queries(28):
        client.get(address, {"dataset": run.dataset.pk})
