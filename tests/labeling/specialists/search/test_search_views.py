"""The page that searches the hub."""

import pytest
from django.urls import reverse

from labeling.jobs.models import Job, JobState
from labeling.projects.models import Role
from labeling.specialists.models import Candidate, ModelSearch, Specialist
from labeling.specialists.search.queries import proposal_for
from tests.labeling.asked import make_connection
from tests.labeling.factories import add_member, make_project, make_user
from tests.labeling.specialists.search.made_searches import make_candidate, make_refused, make_search

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
FORM = {"description": "Sentiment of feedback", "count": 4, "max_mb": 800}


@pytest.fixture
def project(client):
    user = make_user(is_superuser=True)
    client.force_login(user)
    return make_project(user, guideline="# Rules\n\nSort **feedback** by mood.")


def url(project, name="search", **kwargs):
    return reverse(f"specialists:{name}", kwargs={"slug": project.slug} | kwargs)


def page(client, project, query="", **headers):
    return client.get(url(project) + query, headers=headers).content.decode()


def test_before_the_first_search_it_says_what_happens_and_knows_the_task(client, project):
    shown = page(client, project)
    assert "No search yet" in shown
    assert ">Sort feedback by mood.<" in shown.replace("\r\n", "").replace("\n", "")
    assert "No language model is connected" in shown
    assert (
        reverse("specialists:search", kwargs={"slug": project.slug})
        in client.get(reverse("specialists:list", kwargs={"slug": project.slug})).content.decode()
    )


def test_a_search_is_started_as_asked_for(client, project):
    connection = make_connection(project)
    answer = client.post(url(project), FORM | {"connection": connection.pk, "cap": "0.25"})
    assert (answer.status_code, answer.headers["Location"]) == (303, url(project))
    search = ModelSearch.objects.get()
    assert (search.description, search.wanted, search.max_bytes) == ("Sentiment of feedback", 4, 800_000_000)
    assert (search.connection, search.cap_nano) == (connection, 250_000_000)
    assert "Waiting for a worker" in page(client, project)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"description": " "}, "description"),
        ({"count": 1}, "count"),
        ({"count": 99}, "count"),
        ({"max_mb": 0}, "max_mb"),
        ({"max_mb": 10**9}, "max_mb"),
    ],
)
def test_a_wrong_form_says_so_at_its_field(client, project, wrong, field):
    answer = client.post(url(project), FORM | wrong, headers=HTMX)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert not ModelSearch.objects.exists()


def test_a_language_model_wants_a_cap_and_a_connection_of_the_project(client, project):
    mine, foreign = make_connection(project), make_connection(make_project(make_user()))
    answer = client.post(url(project), FORM | {"connection": mine.pk, "cap": ""})
    assert list(answer.context["form"].errors) == ["cap"]
    answer = client.post(url(project), FORM | {"connection": foreign.pk, "cap": "1"})
    assert list(answer.context["form"].errors) == ["connection"]


def test_two_searches_at_once_are_refused(client, project):
    make_search(project, state=JobState.RUNNING, stage="read")
    answer = client.post(url(project), FORM)
    assert (answer.status_code, "at work already" in answer.content.decode()) == (422, True)


def test_results_tell_why_and_what_the_labels_may_mean(client, project):
    search = make_search(project)
    make_candidate(search)
    make_candidate(search, "acme/other", why_not="copy", accuracy=None, origins=["llm"] * 3)
    make_refused(search)
    shown = page(client, project)
    assert "Right on 80.0% (68.0% to 88.0%) of 60 rows with a known class." in shown
    assert "It votes like the others on 75% of the rows." in shown
    assert "Its card and the task share words: 31% alike." in shown
    assert "What 1 label means was read off rows with a known class." in shown
    assert "Nobody knows what 1 label means: you say it." in shown
    assert "It answers like a model above it" in shown
    assert "It has no safetensors weights" in shown
    assert "apache-2.0" in shown
    assert "1,234,567" in shown
    assert shown.count("Recommended") == 1
    assert "keywords of the task" in shown


def test_a_language_models_part_is_told(client, project):
    search = make_search(project, is_by_llm=True, compared_by="llm", problem="The budget has no room.")
    make_candidate(search, accuracy=None)
    shown = page(client, project)
    assert "words of the language model" in shown
    assert "The language model says that its card fits the task to 31%." in shown
    assert "Its answers tell 40% of what" in shown
    assert "The budget has no room." in shown


def test_s06_what_the_hub_says_is_text(client, project):
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    search = make_search(project, description=evil, queries=[evil])
    make_candidate(search, license=evil[:80], card=evil, model_labels=[evil, evil, "c"], architecture=evil[:80])
    make_candidate(search, "acme/failed", state="failed", error=evil, rank=None)
    shown = page(client, project)
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (JobState.RUNNING, "Reading what the hub says of each model"),
        (JobState.FAILED, "The search failed"),
        (JobState.CANCELLED, "Stopped"),
    ],
)
def test_the_state_is_shown(client, project, state, words):
    search = make_search(project, state=state, stage="read")
    make_candidate(search, rank=None, state="read")
    Job.objects.update(error="The hub does not answer.")
    shown = page(client, project)
    assert words in shown
    assert ('hx-trigger="live, every 3s"' in shown) == (state == JobState.RUNNING)


def test_a_busy_hub_is_told(client, project):
    search = make_search(project, state=JobState.RUNNING, stage="find")
    Job.objects.get(subject=search.pk).chunks.create(
        stage="find", idx=0, queue="io", error="It asks for a pause of 60 s."
    )
    assert "It asks for a pause of 60 s." in page(client, project)


def test_nothing_found_says_what_to_do(client, project):
    make_search(project, rows=False)
    assert "Nothing that can be used" in page(client, project)


def test_without_rows_it_says_so_and_models_can_be_added_all_the_same(client, project):
    search = make_search(project, rows=False)
    make_candidate(search, state="picked", rank=None, accuracy=None)
    shown = page(client, project)
    assert "there are no rows" in shown
    assert ">Add<" in shown


def test_htmx_gets_the_part_alone(client, project):
    make_candidate(make_search(project))
    part = page(client, project, **HTMX)
    assert part.strip().startswith('<div id="work"')


def test_one_click_adds_the_commit_and_its_map_waits_for_a_word(client, project):
    search = make_search(project)
    candidate = make_candidate(search, targets=[None, search.class_ids[1], search.class_ids[2]])
    answer = client.post(url(project, "search-add", search_id=search.pk, candidate_id=candidate.pk))
    specialist = Specialist.objects.get()
    assert answer.headers["Location"] == url(project, "detail", specialist_id=specialist.pk)
    assert (specialist.location, specialist.revision, specialist.name) == ("acme/sentiment", "a" * 40, "sentiment")
    assert proposal_for(specialist) == candidate
    Specialist.objects.update(state="mapping", model_labels=candidate.model_labels)
    form = client.get(answer.headers["Location"]).context["form"]
    assert [field.initial for field in form.label_fields()] == ["", str(search.class_ids[1]), str(search.class_ids[2])]
    assert "Added" in page(client, project)
    again = client.post(url(project, "search-add", search_id=search.pk, candidate_id=candidate.pk))
    assert (again.status_code, Specialist.objects.count()) == (409, 1)


def test_a_name_that_is_taken_gets_its_owner(client, project):
    search = make_search(project)
    for name in ("acme/sentiment", "zoo/sentiment"):
        one = make_candidate(search, name)
        client.post(url(project, "search-add", search_id=search.pk, candidate_id=one.pk))
    assert sorted(Specialist.objects.values_list("name", flat=True)) == ["sentiment", "zoo/sentiment"]


def test_a_refused_model_is_not_added(client, project):
    search = make_search(project)
    refused = make_refused(search)
    client.post(url(project, "search-add", search_id=search.pk, candidate_id=refused.pk))
    assert not Specialist.objects.exists()


def test_stop_and_retry(client, project):
    search = make_search(project, state=JobState.RUNNING, stage="read")
    client.post(url(project, "search-act", search_id=search.pk, verb="stop"))
    assert Job.objects.get().state == JobState.CANCELLED
    Job.objects.update(state=JobState.FAILED)
    client.post(url(project, "search-act", search_id=search.pk, verb="retry"))
    assert Job.objects.get().state == JobState.RUNNING


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_queries_however_long(client, project, count, django_assert_num_queries):
    for _number in range(count):
        search = make_search(project)
    for number in range(count):
        make_candidate(search, f"acme/m{number}")
        make_refused(search, f"acme/r{number}")
    client.get(url(project))
    with django_assert_num_queries(12):
        client.get(url(project))


def test_s19_another_projects_search_is_not_found(client, project):
    search = make_search(make_project(make_user()))
    candidate = make_candidate(search)
    assert client.get(url(project) + f"?search={search.pk}").status_code == 404
    assert client.get(url(project) + "?search=x").status_code == 404
    assert client.post(url(project, "search-act", search_id=search.pk, verb="stop")).status_code == 404
    assert client.post(url(project, "search-add", search_id=search.pk, candidate_id=candidate.pk)).status_code == 404
    mine = make_search(project)
    assert client.post(url(project, "search-add", search_id=mine.pk, candidate_id=candidate.pk)).status_code == 404
    assert not Candidate.objects.exclude(specialist=None).exists()


def test_earlier_searches_stay(client, project):
    old = make_search(project, description="The old task")
    make_candidate(old, "acme/old")
    make_search(project)
    assert "acme/old" not in page(client, project)
    assert "The old task" in page(client, project)
    assert "acme/old" in page(client, project, f"?search={old.pk}")


def test_who_may_see_it(client, project):
    for role, status in ((Role.ANNOTATOR, 403), (Role.REVIEWER, 403), (Role.MANAGER, 200)):
        user = make_user()
        add_member(project, user, role)
        client.force_login(user)
        assert client.get(url(project)).status_code == status
    client.force_login(make_user())
    assert client.get(url(project)).status_code == 404
    client.logout()
    assert client.get(url(project)).status_code == 302
