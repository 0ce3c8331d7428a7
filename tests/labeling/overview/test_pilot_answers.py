"""What a pilot asked about a text stands in its history: prompt as sent, answer, reason, tokens, price."""

import pytest
from django.urls import reverse

from annotator_core.fakes.openai_script import fail
from labeling.labels.answer_history import answers_on
from labeling.labels.models import ReviewItem
from labeling.llm.models import LlmCall
from labeling.projects.models import Role
from labeling.runs.models import LlmPilot, PilotAnswer, PilotRow
from tests.labeling.asked import make_answer, make_verified
from tests.labeling.asking import make_connection, serving
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.overview.happenings import sample_url, url, words_of
from tests.labeling.piloted import pilot
from tests.labeling.pool import work_off
from tests.labeling.quality.made_assessments import make_audit

pytestmark = pytest.mark.django_db
TEXTS = ["zero", "one", "zero", "two", "three", "four"]
AT_HAND = "its answer was at hand, so nothing was asked again"


@pytest.fixture
def project():
    return make_project(make_user("ann"))


@pytest.fixture
def dataset(project):
    return make_dataset(project, TEXTS)


@pytest.fixture
def server(settings):
    with serving(settings) as running:
        yield running


@pytest.fixture
def reviewer(client, project):
    user = make_user("rev")
    add_member(project, user, Role.REVIEWER)
    client.force_login(user)
    return client


def asked(dataset, *connections, **how):
    """A pilot about every text, with steps of thinking, that is over."""
    given = {"strategy": "chain-of-thought", "rows": len(TEXTS)} | how
    found = pilot(dataset.project, dataset, list(connections), **given)
    work_off()
    found.refresh_from_db()
    return found


def sample_of(dataset, text):
    return dataset.samples.filter(text=text).first()


def page_of(client, sample):
    address = reverse("overview:sample", args=[sample.dataset.project.slug, sample.pk])
    return words_of(client.get(address))


def test_a_pilots_call_is_shown_with_prompt_answer_reason_tokens_and_price(reviewer, project, dataset, server):
    connection = make_connection(project, server)
    found = asked(dataset, connection)
    (shown,) = answers_on(sample_of(dataset, "one"))
    call = LlmCall.objects.get(sample=sample_of(dataset, "one").pk)
    assert (shown.pilot, [one.call for one in shown.calls], shown.calls[0].made_for) == (found, [call], "")
    assert (shown.at, shown.cost_nano, shown.tokens) == (
        call.settled_at,
        call.cost_nano,
        call.tokens_in + call.tokens_out,
    )
    html = page_of(reviewer, sample_of(dataset, "one"))
    assert "step by step like an operations research expert" in html
    assert "The text reads so.</blockquote>" in html
    assert f"{call.tokens_in} in, {call.tokens_out} out" in html
    assert '<span class="mono">fake-model</span> · pilot ·' in html
    assert AT_HAND not in html
    assert html.count('<span class="quiet">in a pilot</span>') == 1


def test_a_manager_is_led_to_the_pilot(client, project, dataset, server):
    found = asked(dataset, make_connection(project, server))
    client.force_login(project.created_by)
    assert f'{url(project, "pilots")}?pilot={found.pk}">pilot</a>' in page_of(client, sample_of(dataset, "one"))


def test_equal_texts_share_it_and_texts_that_were_not_drawn_have_none(project, dataset, server):
    found = asked(dataset, make_connection(project, server))
    copies = dataset.samples.filter(text="zero")
    assert [[one.pilot for one in answers_on(sample)] for sample in copies] == [[found], [found]]
    PilotRow.objects.filter(sample__text="four").delete()
    assert answers_on(sample_of(dataset, "four")) == []
    other = make_dataset(project, ["one"])
    assert answers_on(other.samples.get()) == []


def test_a_second_pilot_shows_the_call_of_the_first(reviewer, project, dataset, server):
    connection = make_connection(project, server)
    first, second = asked(dataset, connection), asked(dataset, connection)
    later, earlier = answers_on(sample_of(dataset, "one"))
    assert [one.pilot for one in (later, earlier)] == [second, first]
    assert [one.calls[0].made_for for one in (later, earlier)] == ["pilot", ""]
    assert (later.calls[0].call, later.at) == (earlier.calls[0].call, second.created_at)
    assert page_of(reviewer, sample_of(dataset, "one")).count(f"for an earlier pilot; {AT_HAND}") == 1


def test_a_call_about_an_equal_text_of_other_data_is_found_too(project, dataset, server):
    connection = make_connection(project, server)
    asked(make_dataset(project, ["one"]), connection, rows=1)
    asked(dataset, connection)
    (shown,) = answers_on(sample_of(dataset, "one"))
    assert [one.made_for for one in shown.calls] == ["pilot"]
    assert shown.calls[0].prompt


def test_tries_without_an_answer_stand_with_the_pilot_that_made_them(project, settings):
    dataset = make_dataset(project, ["one"])
    with serving(settings, steps=[fail(500)]) as server:
        connection = make_connection(project, server, concurrency=1)
        asked(dataset, connection, rows=1)
        again = asked(dataset, connection, rows=1)
    later, first = answers_on(dataset.samples.get())
    assert [one.call.state for one in first.calls] == ["lost", "stored"]
    assert ([one.call.state for one in later.calls], later.pilot) == (["stored"], again)


def test_a_run_that_found_a_pilots_answer_says_so(reviewer, project, dataset, server):
    connection = make_connection(project, server)
    asked(dataset, connection)
    run = make_run(dataset, hard={1})
    make_verified(run, connection)
    sample = sample_of(dataset, "one")
    make_answer(run, sample, connection, call=LlmCall.objects.get(sample=sample.pk))
    by_run, by_pilot = answers_on(sample)
    assert (by_run.pilot, [one.made_for for one in by_run.calls]) == (None, ["pilot"])
    assert [one.made_for for one in by_pilot.calls] == [""]
    assert f"for an earlier pilot; {AT_HAND}" in page_of(reviewer, sample)


def test_c47_what_a_pilot_said_is_kept_back_with_all_that_machines_said(reviewer, project, dataset, server):
    asked(dataset, make_connection(project, server))
    run = make_run(dataset, hard={1, 4})
    address = sample_url(run, "one")
    secret = "The text reads so."
    assert secret in words_of(reviewer.get(address))
    ReviewItem.objects.filter(sample__text="one").update(needed=2)
    html = words_of(reviewer.get(address))
    assert [word for word in (secret, "in a pilot", "fake-model") if word in html] == []


def test_c47_while_an_audit_waits_no_text_of_its_frame_tells_what_a_pilot_said(reviewer, project, dataset, server):
    asked(dataset, make_connection(project, server))
    run = make_run(dataset, hard=set())
    drawn = make_audit(run.dataset, drawn=1).rows.get().sample
    story = reviewer.get(url(project, "sample", sample_id=drawn.pk)).context["story"]
    assert (story.answers, [one.kind for one in story.moments]) == ([], ["import"])


@pytest.mark.parametrize("count", [1, 3])
def test_more_pilots_and_models_take_no_more_queries(
    reviewer, project, dataset, server, count, django_assert_num_queries
):
    connections = [make_connection(project, server, f"model {number}") for number in range(count)]
    for _time in range(count):
        asked(dataset, *connections)
    assert LlmPilot.objects.count() == count
    assert PilotAnswer.objects.filter(row__sample__text="one").count() == count**2
    address = reverse("overview:sample", args=[project.slug, sample_of(dataset, "one").pk])
    reviewer.get(address)
    with django_assert_num_queries(19):
        reviewer.get(address)
