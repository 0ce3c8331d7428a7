"""The project list, a project's home and its samples over HTTP."""

from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.jobs.models import Job
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem
from labeling.projects.models import Role
from labeling.refinement.models import RefinementRound
from labeling.runs.models import Run
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TEXTS = ["zero", "one", "two", "three", "four", "five"]


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def project(user):
    return make_project(user, name="Shop")


@pytest.fixture
def run(project):
    return make_run(make_dataset(project, TEXTS), hard={0, 3})


@pytest.fixture
def page(client, user):
    client.force_login(user)
    return client


def choose(run, user, text, name="positive"):
    item = ReviewItem.objects.get(run=run, sample__text=text)
    class_id = run.project.classes.get(name=name).pk
    decide(item_id=item.pk, project=run.project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def url(project, name="samples", **more):
    return reverse(f"overview:{name}", kwargs={"slug": project.slug, **more})


def test_home_without_a_project_offers_one_to_an_operator(client):
    client.force_login(make_user(is_staff=True))
    html = client.get("/").content.decode()
    assert reverse("projects:new") in html
    assert "python manage.py demo" in html


def test_home_without_a_project_tells_the_others_whom_to_ask(client):
    client.force_login(make_user())
    html = client.get("/").content.decode()
    assert reverse("projects:new") not in html
    assert "Ask a manager" in html


@pytest.mark.parametrize("count", [1, 3])
def test_c42_home_takes_as_many_queries_for_one_project_as_for_three(page, user, count, django_assert_num_queries):
    for _ in range(count):
        make_run(make_dataset(make_project(user), TEXTS))
    page.get("/")
    with django_assert_num_queries(11):
        page.get("/")


def test_home_counts_rows_from_counters(page, project, run, user):
    choose(run, user, "zero")
    card = page.get("/").context["cards"][0]
    assert (card.rows, card.accepted, card.decided, card.left) == (6, 4, 1, 1)


def test_home_shows_only_the_own_projects(client, project):
    client.force_login(make_user())
    assert "Shop" not in client.get("/").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_c43_project_home_takes_a_fixed_number_of_queries(page, project, count, django_assert_num_queries):
    for _ in range(count):
        make_run(make_dataset(project, TEXTS), hard={0})
    page.get(url(project, "project"))
    with django_assert_num_queries(27):
        page.get(url(project, "project"))


def test_project_home_shows_the_flow(page, project, run, user):
    choose(run, user, "zero")
    steps = page.get(url(project, "project")).context["steps"]
    assert [(step.label, step.value, step.state) for step in steps] == [
        ("Data", "6", "done"),
        ("Votes", "6", "done"),
        ("Accepted", "4", "done"),
        ("Review", "1", "attention"),
        ("Refinement", "–", "todo"),
        ("Quality", "–", "todo"),
        ("Export", "–", "todo"),
    ]


def make_round(run, number=1, **fields):
    figures = {"epochs": 1, "learning_rate": 1e-5, "batch_size": 1, "trigger": "beta", "seed": 1}
    return RefinementRound.objects.create(
        project=run.project, run=run, dataset=run.dataset, number=number, **(figures | fields)
    )


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("training", ("round 1", "Training", "active")),
        ("waiting", ("round 1", "0 of 20 rows", "attention")),
        ("done", ("round 1", "0 of 20 rows", "done")),
        ("cancelled", ("–", "0 of 20 rows", "todo")),
    ],
)
def test_project_home_shows_what_is_learned(page, project, run, state, step):
    Run.objects.filter(pk=run.pk).update(beta=20)
    make_round(run, state=state)
    found = page.get(url(project, "project")).context["steps"][4]
    assert (found.value, found.hint, found.state) == step


def test_a_round_that_waits_for_a_manager_is_named(page, project, run):
    make_round(run, state="waiting")
    text, verb = needs(page.get(url(project, "project")))[0]
    assert (text.split(":")[0], verb) == ("Round 1 has too few held-out rows to decide by itself", "Look")


def test_a_round_is_among_what_happened(page, project, run):
    Job.objects.create(project=project, kind="round", subject=make_round(run).pk, state="running")
    assert 'refinement/1">Refinement round 1</a>' in page.get(url(project, "project")).content.decode()


def needs(response):
    return [(need.text, need.verb) for need in response.context["needs"]]


def test_project_home_says_what_comes_next(page, project, user):
    assert needs(page.get(url(project, "project"))) == [("There is no data yet.", "Upload data")]
    dataset = make_dataset(project, ["only"])
    assert needs(page.get(url(project, "project"))) == [("No model may vote yet.", "Add models")]
    run = make_run(dataset)
    Run.objects.filter(pk=run.pk).update(state="reviewing")
    assert ("1 row waits for a person: 5 s of work.", "Review") in needs(page.get(url(project, "project")))
    choose(run, user, "only")
    assert needs(page.get(url(project, "project")))[-1][1] == "Export"


def test_an_annotator_sees_only_the_review(client, project, run):
    person = make_user()
    add_member(project, person)
    client.force_login(person)
    response = client.get(url(project, "project"))
    assert needs(response) == [("2 rows wait for a person: 10 s of work.", "Review")]
    assert response.context["happenings"] == []
    assert [step.href for step in response.context["steps"] if step.href] == [
        reverse("review:screen", args=[project.slug])
    ]


def test_s19_a_sample_of_another_project_is_not_found(page, project, run, user):
    foreign = make_dataset(make_project(user), ["foreign"]).samples.get()
    assert page.get(url(project, "sample", sample_id=foreign.pk)).status_code == 404


PAYLOADS = ["<img src=x onerror=alert(1)>", "</p><script>alert(1)</script>", "javascript:alert(1)", "{{ 7 }}"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_s06_names_and_texts_are_shown_as_text(page, user, payload):
    project = make_project(user, classes=(payload, "other"), name=payload)
    run = make_run(make_dataset(project, [payload], columns=(payload, "text")))
    choose(run, user, payload, payload)
    sample = run.dataset.samples.get()
    for address in ("/", url(project, "project"), url(project), url(project, "sample", sample_id=sample.pk)):
        html = page.get(address).content.decode()
        assert "<img src=x" not in html
        assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (None, {"project": 404, "samples": 404, "sample": 404}),
        (Role.ANNOTATOR, {"project": 200, "samples": 403, "sample": 403}),
        (Role.REVIEWER, {"project": 200, "samples": 200, "sample": 200}),
        (Role.MANAGER, {"project": 200, "samples": 200, "sample": 200}),
    ],
)
def test_pages_open_by_role(client, project, run, role, statuses):
    person = make_user()
    if role:
        add_member(project, person, role)
    client.force_login(person)
    sample = run.dataset.samples.first()
    for name, status in statuses.items():
        more = {"sample_id": sample.pk} if name == "sample" else {}
        assert client.get(url(project, name, **more)).status_code == status
        assert client.get(url(project, name, **more), headers=HTMX).status_code == status


def test_the_anonymous_are_sent_to_sign_in(client, project, run):
    sample = run.dataset.samples.first()
    for address in ("/", url(project, "project"), url(project), url(project, "sample", sample_id=sample.pk), "/doctor"):
        assert client.get(address).url.startswith("/sign-in")
