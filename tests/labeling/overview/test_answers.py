"""What a sample's page tells of language models, and what it keeps back."""

import pytest
from django.urls import reverse

from annotator_core.verifiers.contract import Outcome
from labeling.labels.answer_history import OUTCOMES, answers_on
from labeling.projects.models import Role
from tests.labeling.asked import make_answer, make_call, make_connection, make_verified
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.quality.made_assessments import make_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    return make_run(
        make_dataset(make_project(make_user("ann")), ["zero", "one", "zero", "two", "three", "four"]), hard={0, 2}
    )


@pytest.fixture
def connection(run):
    found = make_connection(run.project)
    make_verified(run, found)
    return found


def page_of(client, sample, role=Role.REVIEWER):
    user = make_user()
    add_member(sample.dataset.project, user, role)
    client.force_login(user)
    address = reverse("overview:sample", args=[sample.dataset.project.slug, sample.pk])
    return client.get(address)


def words_of(response):
    return " ".join(response.content.decode().split())


def test_every_outcome_has_its_words():
    assert set(OUTCOMES) == set(Outcome)


def test_a_sample_shows_prompt_answer_tokens_and_price(client, run, connection):
    sample = run.dataset.samples.get(position=0)
    make_answer(run, sample, connection)
    html = words_of(page_of(client, sample))
    assert "You must respond with only one of these labels." in html
    assert "Input sentence: &#x27;&lt;b&gt;zero&lt;/b&gt;&#x27;" in html
    assert "{&quot;label&quot;: &quot;negative&quot;, &quot;reason&quot;: &quot;It came late.&quot;}" in html
    assert "100 in, 20 out" in html
    assert "$0.00014" in html
    assert "80% sure" in html
    assert "512 ms" in html
    assert "sealed-secret" not in html


def test_equal_texts_share_the_answer(run, connection):
    make_answer(run, run.dataset.samples.get(position=0), connection)
    assert [one.outcome for one in answers_on(run.dataset.samples.get(position=2))] == ["Answered"]
    assert answers_on(run.dataset.samples.get(position=1)) == []


def test_all_calls_of_an_answer_are_shown_and_those_of_others_are_not(run, connection):
    sample = run.dataset.samples.get(position=0)
    first = make_call(run, sample, connection, state="lost", status=500, cost_nano=60_000)
    make_call(run, sample, make_connection(run.project, "Other"))
    make_answer(run, sample, connection)
    (shown,) = answers_on(sample)
    assert ([one.call.state for one in shown.calls], shown.calls[0].call) == (["lost", "stored"], first)
    assert (shown.cost_nano, shown.tokens) == (200_000, 240)


def test_an_answer_at_hand_shows_the_call_of_the_earlier_run(client, run, connection):
    sample = run.dataset.samples.get(position=0)
    make_answer(run, sample, connection, call=make_call(run, sample, connection, run=999))
    assert "its answer was at hand" in words_of(page_of(client, sample))


@pytest.mark.parametrize("outcome", [one for one in Outcome if one != Outcome.ANSWERED])
def test_an_abstention_says_why(client, run, connection, outcome):
    sample = run.dataset.samples.get(position=0)
    make_answer(run, sample, connection, None, outcome=outcome.value, confidence=None)
    assert str(OUTCOMES[outcome]) in words_of(page_of(client, sample))


def test_what_an_audit_may_still_ask_a_person_about_is_kept_back(client, run, connection):
    dataset = run.dataset
    samples = list(dataset.samples.order_by("text_hash"))
    framed, other = samples[0], samples[-1]
    make_answer(run, framed, connection)
    make_answer(run, other, connection)
    make_audit(dataset, drawn=1)  # the one text with the smallest hash
    dataset.refresh_from_db()
    assert framed.text_hash <= dataset.frame_until < other.text_hash
    html = words_of(page_of(client, framed))
    assert "It came late." not in html
    assert "Votes, models' answers and labels from them are shown afterwards." in html
    assert "It came late." in words_of(page_of(client, other))


@pytest.mark.parametrize("count", [1, 3])
def test_more_answers_take_no_more_queries(client, run, connection, count, django_assert_num_queries):
    sample = run.dataset.samples.get(position=0)
    for number in range(count):
        make_answer(run, sample, make_connection(run.project, f"Model {number}"))
    page_of(client, sample)
    with django_assert_num_queries(25):  # three for answers: of runs, of pilots, the calls behind both
        client.get(reverse("overview:sample", args=[run.project.slug, sample.pk]))
