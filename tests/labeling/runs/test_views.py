import re

import pytest
from django.urls import reverse

from labeling.jobs.models import Job
from labeling.projects.models import Role
from labeling.runs.actions import start_run
from labeling.runs.models import PoolGeneration, PoolMember, Run, RunState
from labeling.runs.policies import Policy
from tests.labeling.factories import add_member, make_dataset, make_project, make_user
from tests.labeling.pool import make_pool, work_off

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def manager(client):
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def project(manager):
    return make_project(manager)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path)


def url(project, name="list", **kwargs):
    return reverse(f"runs:{name}", kwargs={"slug": project.slug} | kwargs)


def form(dataset, versions):
    return {"dataset": dataset.pk, "versions": [v.pk for v in versions], "policy": "custom", "rule": "agree"}


def test_an_empty_list_says_what_a_run_is(client, project):
    assert b"No runs yet" in client.get(url(project)).content


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_the_same_queries_however_long(client, project, count, django_assert_num_queries):
    for number in range(count):
        dataset = make_dataset(project, ["a"])
        Run.objects.create(project=project, dataset=dataset, number=number + 1, min_agree=3, row_count=1)
    client.get(url(project))
    with django_assert_num_queries(7):
        client.get(url(project))


def test_without_data_or_models_the_page_says_what_to_do_first(client, project, tmp_path):
    assert b"No data to label yet" in client.get(url(project, "new")).content
    make_dataset(project, ["a"])
    assert b"No specialist may vote yet" in client.get(url(project, "new")).content


def test_a_run_is_started_and_watched(client, project, versions):
    dataset = make_dataset(project, [f"text {i}" for i in range(40)])
    answer = client.post(url(project, "new"), form(dataset, versions))
    run = Run.objects.get()
    assert answer.headers["Location"] == url(project, "detail", number=run.number)
    assert (run.min_agree, run.review_budget, run.created_by) == (3, None, run.created_by)
    page = client.get(url(project, "detail", number=1)).content.decode()
    assert 'data-live-topic="run:' in page
    assert "Pause" in page
    work_off()
    page = client.get(url(project, "detail", number=1)).content.decode()
    assert "To review" in page
    assert "fake-0" in page


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"rule": "budget"}, "review_budget"),
        ({"rule": "budget", "review_budget": "101"}, "review_budget"),
        ({"rule": "budget", "review_budget": "nan"}, "review_budget"),
        ({"min_agree": "4"}, "min_agree"),
        ({"min_agree": "0"}, "min_agree"),
        ({"versions": []}, "versions"),
        ({"versions": ["999"]}, "versions"),
        ({"dataset": "999"}, "dataset"),
        ({"policy": "best"}, "policy"),
        ({"beta": "0"}, "beta"),
        ({"vote_ahead": "pool"}, "beta"),
        ({"vote_ahead": "pool", "beta": "5", "rule": "budget", "review_budget": "5"}, "vote_ahead"),
        ({"vote_ahead": "pool", "beta": "5", "random_share": "50"}, "random_share"),
        ({"replay_share": "100"}, "replay_share"),
        ({"random_share": "-1"}, "random_share"),
        ({"epochs": "0"}, "epochs"),
        ({"learning_rate": "0"}, "learning_rate"),
        ({"learning_rate": "inf"}, "learning_rate"),
        ({"batch_size": "0"}, "batch_size"),
        ({"policy": "default", "default_beta": "0"}, "default_beta"),
        ({"policy": "default", "default_budget": "101"}, "default_budget"),
        ({"policy": "paper", "paper_beta": "x"}, "paper_beta"),
        ({"rule": "target"}, "target_error"),
        ({"rule": "target", "target_error": "51"}, "target_error"),
        ({"rule": "target", "target_error": "5", "renews_accepted": "on"}, "has_frame"),
        ({"aggregator": "race"}, "has_frame"),
        ({"policy": "default", "default_target": "0"}, "default_target"),
        ({"policy": "default", "default_target": "5", "default_budget": "5"}, "default_target"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_its_field(client, project, versions, data, field):
    dataset = make_dataset(project, ["a", "b"])
    answer = client.post(url(project, "new"), form(dataset, versions) | data, headers=HTMX)
    assert (answer.status_code, re.findall(r' id="id_(\w+)-error"', answer.content.decode())) == (422, [field])
    assert not Run.objects.exists()


def started(client, project, versions, dataset, **more):
    client.post(url(project, "new"), form(dataset, versions) | more)
    return Run.objects.get()


def test_the_papers_policy_is_chosen_by_name(client, project, versions):
    run = started(client, project, versions, make_dataset(project, ["a"]), policy="paper", paper_beta="2000")
    assert (run.policy, run.beta, run.vote_ahead, run.is_gated, run.renews_accepted) == (
        "paper",
        2000,
        "pool",
        False,
        False,
    )


def test_the_recommended_policy_takes_the_proposed_pool_and_a_budget(client, project, versions):
    dataset = make_dataset(project, ["a"] * 480)
    run = started(client, project, versions, dataset, policy="default", default_budget="20")
    assert (run.policy, run.beta, run.review_budget, run.aggregator) == ("default", 30, 20, "race")


def test_a_target_error_takes_the_races_winner_and_tells_its_price(client, project, versions):
    figures = {"rule": "target", "target_error": "5", "aggregator": "average", "renews_accepted": "on"}
    run = started(client, project, versions, make_dataset(project, ["a"]), **figures, has_frame="on")
    assert (run.policy, run.target_error, run.review_budget, run.aggregator) == ("custom", 5, None, "race")
    page = client.get(url(project, "detail", number=1)).content.decode()
    assert "until an audit certifies at most 5% error." in page
    assert "Draw an audit to find out what a certificate takes." in page
    PoolGeneration.objects.filter(run=run).update(cut_score=0.5)
    page = client.get(url(project, "detail", number=1)).content.decode()
    assert "every row that the certificate for at most 5% error does not cover." in page
    assert "not certified yet" not in page


def test_the_recommended_policy_takes_a_target_error(client, project, versions):
    run = started(client, project, versions, make_dataset(project, ["a"]), policy="default", default_target="2.5")
    assert (run.policy, run.target_error, run.aggregator) == ("default", 2.5, "race")


def test_every_figure_of_a_custom_policy_is_kept(client, project, versions):
    figures = {"beta": "7", "replay_share": "90", "random_share": "50", "epochs": "5", "learning_rate": "5e-4"}
    run = started(client, project, versions, make_dataset(project, ["a"]), **figures, batch_size="8", is_gated="on")
    assert (run.policy, run.beta, run.replay_share, run.random_share) == ("custom", 7, 0.9, 0.5)
    assert (run.epochs, run.learning_rate, run.batch_size) == (5, 5e-4, 8)
    assert (run.is_gated, run.renews_accepted, run.has_frame) == (True, False, False)


def test_a_custom_run_without_beta_never_learns_by_itself(client, project, versions):
    assert started(client, project, versions, make_dataset(project, ["a"]), beta="").beta is None


def test_a_small_data_set_gets_a_smaller_pool_and_the_reason(client, project, versions):
    small, large = make_dataset(project, ["a"] * 480), make_dataset(project, ["a"])
    large.row_count = 8_000
    large.save()
    page = client.get(url(project, "new"), {"dataset": small.pk}).content.decode()
    assert "With 480 rows a hard pool of 1,000 would hardly ever fill: 30 is proposed here." in page
    assert "hardly ever fill" not in client.get(url(project, "new"), {"dataset": large.pk}).content.decode()


def test_a_second_run_on_a_busy_data_set_is_refused(client, project, versions):
    dataset = make_dataset(project, ["a", "b"])
    client.post(url(project, "new"), form(dataset, versions))
    answer = client.post(url(project, "new"), form(dataset, versions))
    assert (answer.status_code, Run.objects.count()) == (422, 1)


def test_pause_resume_cancel_from_the_page(client, project, versions):
    dataset = make_dataset(project, ["a", "b"])
    run = start_run(project=project, dataset=dataset, versions=versions, policy=Policy(3), by=None)
    states = []
    for verb in ("pause", "resume", "cancel", "cancel"):
        assert client.post(url(project, "act", number=1, verb=verb)).status_code in {302, 303}
        run.refresh_from_db()
        states.append(run.state)
    assert states == [RunState.PAUSED, RunState.RUNNING, RunState.CANCELLED, RunState.CANCELLED]


def test_annotators_and_strangers_are_kept_out(client, project, versions):
    start_run(project=project, dataset=make_dataset(project, ["a"]), versions=versions, policy=Policy(3), by=None)
    annotator, stranger = make_user(), make_user()
    add_member(project, annotator, Role.ANNOTATOR)
    for user, status in ((annotator, 403), (stranger, 404)):
        client.force_login(user)
        for address in (url(project), url(project, "new"), url(project, "detail", number=1)):
            assert client.get(address).status_code == status
        assert client.post(url(project, "act", number=1, verb="cancel")).status_code == status
    assert Run.objects.get().state == RunState.RUNNING


def test_s19_another_projects_run_is_not_found(client, project, manager, tmp_path):
    other = make_project(make_user())
    Run.objects.create(project=other, dataset=make_dataset(other, ["a"]), number=7, min_agree=1, row_count=1)
    assert client.get(url(project, "detail", number=7)).status_code == 404


@pytest.fixture
def reviewed(project, versions):
    """A run whose votes are in, with a newer generation that has taken 3 rows off the queue."""
    dataset = make_dataset(project, [f"text {i}" for i in range(40)])
    run = start_run(project=project, dataset=dataset, versions=versions, policy=Policy(3, beta=50), by=None)
    work_off()
    PoolGeneration.objects.create(run=run, number=1, origin="round", round_number=2, voted_again=8, taken_off=3)
    for position, version in enumerate(versions):
        PoolMember.objects.create(generation=run.generations.get(number=1), version=version, position=position)
    Run.objects.filter(pk=run.pk).update(generation=1, decided=0)
    return run


def test_the_page_shows_policy_pool_and_generations(client, project, reviewed):
    page = " ".join(client.get(url(project, "detail", number=1)).content.decode().split())
    assert "At 50 decided rows that no round has taken a refinement round starts." in page
    assert "8 open rows voted again, 3 left the queue." in page
    assert 'refinement/2">Round 2</a>' in page
    assert "3 <span" in page
    assert "<dt>A person decides</dt><dd>where not all specialists agree</dd>" in page


def test_accepted_rows_vote_again_when_the_manager_asks(client, project, reviewed):
    assert "Vote again on accepted rows" in client.get(url(project, "detail", number=1)).content.decode()
    client.post(url(project, "act", number=1, verb="renew"))
    reviewed.refresh_from_db()
    assert reviewed.is_renewal_asked
    page = client.get(url(project, "detail", number=1)).content.decode()
    assert "Accepted rows vote again as soon as the open ones have." in page


@pytest.mark.parametrize(
    ("stage", "label"), [("revote", "Voting again on open texts"), ("renew", "Voting again on accepted rows")]
)
def test_new_votes_show_their_progress(client, project, reviewed, stage, label):
    Job.objects.filter(subject=reviewed.pk, kind="run").update(stage=stage, state="running", progress=5, total=9)
    page = client.get(url(project, "detail", number=1)).content.decode()
    assert label in page
    assert "5 of 9" in page


def test_the_run_page_costs_the_same_whatever_the_rows(client, project, versions, django_assert_num_queries):
    dataset = make_dataset(project, [f"text {i}" for i in range(200)])
    start_run(project=project, dataset=dataset, versions=versions, policy=Policy(3), by=None)
    work_off()
    client.get(url(project, "detail", number=1))
    with django_assert_num_queries(15):  # three of what was measured before: a pilot, a run, people's time
        client.get(url(project, "detail", number=1))
