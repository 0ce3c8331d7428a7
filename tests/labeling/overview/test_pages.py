"""The project list, a project's home and its samples over HTTP."""

from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.jobs.models import Job
from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.models import Consensus, ReviewItem, Vote
from labeling.overview.samples import PAGE, WINDOW
from labeling.projects.models import Role
from labeling.refinement.models import RefinementRound
from labeling.runs.models import PoolGeneration, PoolMember, Run
from labeling.specialists.models import Specialist, SpecialistVersion
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


def shown(response):
    return [row.text for row in response.context["page"].rows]


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
    with django_assert_num_queries(26):
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


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("", TEXTS),
        ("?state=accepted", ["one", "two", "four", "five"]),
        ("?state=review", ["three"]),
        ("?state=decided", ["zero"]),
        ("?state=unlabeled", ["three"]),
        ("?source=human", ["zero"]),
        ("?source=consensus&text=O", ["one", "two", "four"]),
        ("?text=%00", TEXTS),
        ("?after=3", ["four", "five"]),
        ("?before=2", ["zero", "one"]),
        ("?state=nonsense&source=x&label_class=999&after=-4&dataset=77", TEXTS),
    ],
)
def test_samples_are_filtered(page, project, run, user, query, texts):
    choose(run, user, "zero")
    assert shown(page.get(url(project) + query)) == texts


def test_samples_are_filtered_by_class_and_data_set(page, project, run, user):
    choose(run, user, "zero")
    positive = project.classes.get(name="positive")
    assert shown(page.get(url(project), {"label_class": positive.pk})) == ["zero", "two", "five"]
    make_dataset(project, ["newer"])
    assert shown(page.get(url(project))) == ["newer"]
    assert shown(page.get(url(project), {"dataset": 1})) == TEXTS


@pytest.mark.parametrize(
    "name",
    [
        "sample__text",
        "dataset__project__memberships__user__password__startswith",
        "text__regex",
        "labels__verdict__user__password",
        "state__in",
        "order_by",
        "ordering",
        "id",
        "__class__",
    ],
)
def test_s02_unknown_parameters_change_nothing(page, project, run, name):
    plain = page.get(url(project) + "?state=accepted")
    asked = page.get(url(project), {"state": "accepted", name: "pbkdf2"})
    assert (asked.status_code, shown(asked)) == (200, shown(plain))
    assert asked.context["next_query"] == plain.context["next_query"] == ""


def test_samples_are_paged_by_position(page, project):
    texts = [f"text {i:03}" for i in range(2 * PAGE + 5)]
    make_dataset(project, texts)
    first = page.get(url(project))
    second = page.get(url(project) + "?" + first.context["next_query"])
    third = page.get(url(project) + "?" + second.context["next_query"])
    assert [*shown(first), *shown(second), *shown(third)] == texts
    assert (first.context["previous_query"], third.context["next_query"]) == ("", "")
    back = page.get(url(project) + "?" + third.context["previous_query"])
    assert shown(back) == shown(second)


def test_a_rare_match_is_searched_window_by_window(page, project):
    dataset = make_dataset(project, ["first", "rare"])
    dataset.samples.filter(text="rare").update(position=WINDOW + 5)
    dataset.row_count = WINDOW + 6
    dataset.save()
    first = page.get(url(project) + "?text=rare")
    assert "Rows 1 to 20,000 were searched." in first.content.decode()
    assert shown(page.get(url(project) + "?" + first.context["next_query"])) == ["rare"]


@pytest.mark.parametrize("size", [1, 3])
def test_samples_take_a_fixed_number_of_queries(page, project, size, django_assert_num_queries):
    make_run(make_dataset(project, TEXTS[:size]))
    with django_assert_num_queries(8):
        page.get(url(project), headers=HTMX)


def test_samples_htmx_gets_the_list_alone(page, project, run):
    html = page.get(url(project), headers=HTMX).content.decode()
    assert html.lstrip().startswith('<div id="list"')
    assert "<html" not in html


def test_sample_shows_its_whole_history(page, project, run, user):
    sample = run.dataset.samples.get(text="zero")
    class_ids = [one.pk for one in project.classes.all()]
    specialist = Specialist.objects.create(project=project, name="tiny", source="folder", location="x")
    version = SpecialistVersion.objects.create(
        specialist=specialist,
        number=2,
        weights_hash="x",
        model_labels=[],
        targets=[],
        class_ids=class_ids,
        max_length=9,
    )
    probs = bytes.fromhex("0038003400340000")[:6]
    Vote.objects.create(sample=sample, version=version, label_class_id=class_ids[0], top_probability=0.5, probs=probs)
    choose(run, user, "zero")
    response = page.get(url(project, "sample", sample_id=sample.pk))
    history = response.context["history"]
    shares = [(share.label_class.name, share.value) for share in history.other_votes[0].shares]
    assert shares == [("negative", 0.5), ("neutral", 0.25), ("positive", 0.25)]
    assert [verdict.user for verdict in history.verdicts] == [user]
    assert (history.label.source, len(history.labels), len(history.answers)) == ("human", 1, 1)
    html = response.content.decode()
    assert "tiny" in html
    assert "A person · ann" in html


def test_sample_shows_the_pool_of_today_first_and_the_rounds_it_trained_in(page, project, run):
    sample = run.dataset.samples.get(text="zero")
    old = sample.consensus.get()
    PoolGeneration.objects.create(run=run, number=1, origin="round", round_number=1)
    sample.consensus.update(is_current=False)
    Consensus.objects.create(run=run, sample=sample, generation=1, uncertainty=0, score=1, label_class=old.label_class)
    make_round(run).samples.create(sample=sample, label_class=old.label_class, role="pool")
    response = page.get(url(project, "sample", sample_id=sample.pk))
    answers = [(one.consensus.generation, one.consensus.is_current) for one in response.context["history"].answers]
    assert answers == [(1, True), (0, False)]
    html = " ".join(response.content.decode().split())
    assert "Run 1, generation 1" in html
    assert 'refinement/1">Round 1</a>: Hard pool' in html


def test_sample_shows_who_decided_what_was_undone_and_replaced(page, project, run, user):
    sample = run.dataset.samples.get(text="zero")
    choose(run, user, "zero", "neutral")
    undo(project=project, user_id=user.pk, client_id=uuid4())
    choose(run, user, "zero")
    html = " ".join(page.get(url(project, "sample", sample_id=sample.pk)).content.decode().split())
    told = [one.split("</li>")[0] for one in html.split('<ol class="log">')[1].split("<li>")[1:]]
    assert ["ann: undone" in one for one in told[:3]] == [False, True, False]
    assert ["replaced" in one for one in told[:3]] == [False, True, True]
    assert "taken back" in html


@pytest.mark.parametrize("size", [1, 3])
def test_sample_takes_a_fixed_number_of_queries(page, project, run, user, size, django_assert_num_queries):
    sample = run.dataset.samples.get(text="zero")
    classes = [one.pk for one in project.classes.all()]
    sample.consensus.update(is_current=False)
    for number in range(1, size + 1):
        generation = PoolGeneration.objects.create(run=run, number=number)
        specialist = Specialist.objects.create(project=project, name=f"s{number}", source="folder", location="x")
        version = SpecialistVersion.objects.create(
            specialist=specialist, number=1, weights_hash="x", model_labels=[], targets=[], class_ids=classes,
            max_length=9,
        )  # fmt: skip
        PoolMember.objects.create(generation=generation, version=version, position=0)
        Vote.objects.create(sample=sample, version=version)
        is_newest = number == size
        Consensus.objects.create(
            run=run, sample=sample, generation=number, uncertainty=0, score=1, is_current=is_newest
        )
    page.get(url(project, "sample", sample_id=sample.pk))
    with django_assert_num_queries(17):
        page.get(url(project, "sample", sample_id=sample.pk))


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
