"""One sample's page: votes and why there are none, and everything that happened in one time line."""

from uuid import uuid4

import pytest

from labeling.jobs.models import Chunk, ChunkState, Job
from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.returns import escalate
from labeling.labels.actions.verdicts import undo
from labeling.labels.models import Consensus, Escalation, Finding, Verdict, Vote
from labeling.refinement.models import RefinementRound
from labeling.review.actions.returns import return_item
from labeling.review.models import Comment, Flag, Skip
from labeling.runs.models import PoolGeneration, PoolMember, Run
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.overview.happenings import (
    TEXTS,
    add_specialist,
    choose,
    class_of,
    item_of,
    sample_url,
    url,
    words_of,
)

pytestmark = pytest.mark.django_db


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


def story_of(page, run, text="zero"):
    return page.get(sample_url(run, text)).context["story"]


def kinds(story):
    return [moment.kind for moment in story.moments]


def test_c50_every_vote_is_shown_with_its_model_version_and_score(page, run):
    first = add_specialist(run, "tiny", {"zero": "neutral"})
    add_specialist(run, "tiny 2", {"zero": "positive"}, number=2, specialist=first.specialist)
    Vote.objects.filter(version=first).update(probs=bytes.fromhex("0034003800340000")[:6])
    html = words_of(page.get(sample_url(run, "zero")))
    assert html.count("tiny <span") == 2
    for told in ('<span class="quiet">v1</span>', '<span class="quiet">v2</span>', "75%", "50%", "25%"):
        assert told in html


def test_c51_a_specialist_of_the_pool_that_said_nothing_is_shown_with_the_reason(page, run):
    add_specialist(run, "mute", {"zero": None})
    Vote.objects.update(reason="outside its labels")
    add_specialist(run, "lost", {"one": "neutral"})
    (answer,) = story_of(page, run).history.answers
    assert [(vote.version.specialist.name, vote.reason, vote.is_missing) for vote in answer.votes] == [
        ("mute", "outside its labels", False),
        ("lost", "Its vote never came.", True),
    ]
    html = words_of(page.get(sample_url(run, "zero")))
    assert "outside its labels" in html
    assert "Its vote never came." in html


def silence(page, dataset):
    sample = dataset.samples.get(position=2)
    return page.get(url(dataset.project, "sample", sample_id=sample.pk)).context["story"].silence


def test_c51_without_any_vote_the_page_says_why(page, project, user):
    dataset = make_dataset(project, TEXTS)
    assert silence(page, dataset) == "No run has been started on this data set."
    run = Run.objects.create(project=project, dataset=dataset, number=1, min_agree=3, row_count=6)
    assert silence(page, dataset) == "Run 1 is voting and has not come to this row yet."
    Run.objects.update(state="paused")
    assert silence(page, dataset) == "Run 1 is paused and has not come to this row yet."
    Run.objects.update(state="cancelled")
    assert silence(page, dataset) == "Run 1 was cancelled before it came to this row."
    Run.objects.update(state="reviewing")
    assert silence(page, dataset) == "This row was added after run 1 had voted; the next run votes on it."
    job = Job.objects.create(project=project, kind="run", subject=run.pk, stage="vote")
    Chunk.objects.create(job=job, stage="vote", idx=0, low=0, high=6, queue="consensus", state=ChunkState.DEAD)
    assert silence(page, dataset).startswith("The part of run 1 with this row failed.")


def test_c52_no_decision_changes_what_a_model_said(page, run, user):
    add_specialist(run, "tiny", {"zero": "neutral"})
    before = list(Vote.objects.values()), list(Consensus.objects.order_by("id").values())
    choose(run, user, "zero", "positive")
    return_item(project=run.project, item_id=item_of(run, "zero").pk, by_id=user.pk)
    choose(run, user, "zero", "negative")
    assert (list(Vote.objects.values()), list(Consensus.objects.order_by("id").values())) == before
    (vote,) = story_of(page, run).history.answers[0].votes
    assert (vote.label_class.name, vote.probability) == ("neutral", 0.75)


def test_a_sample_shows_its_label_and_who_gave_it(page, run, user):
    choose(run, user, "zero")
    story = story_of(page, run)
    assert (story.label.source, story.label.verdict.user) == ("human", user)
    assert kinds(story) == ["import", "votes", "verdict", "label"]
    assert "A person · ann" in words_of(page.get(sample_url(run, "zero")))


def test_everything_that_people_did_stands_in_one_line_in_its_order(page, run, user):
    bob, eve = make_user("bob"), make_user("eve")
    for person in (bob, eve):
        add_member(run.project, person)
    item = item_of(run, "zero")
    common = {"item": item, "user": bob}
    Skip.objects.create(client_id=uuid4(), **common)
    Comment.objects.create(client_id=uuid4(), text="two languages", **common)
    Flag.objects.create(client_id=uuid4(), note="is this ours?", **common)
    escalate(project=run.project, item_id=item.pk, why=Escalation.FLAGGED)
    return_item(project=run.project, item_id=item.pk, by_id=user.pk, reason="see page 2", to_id=bob.pk)
    choose(run, bob, "zero", "neutral")
    undo(project=run.project, user_id=bob.pk, client_id=uuid4())
    choose(run, bob, "zero", "positive")
    moments = story_of(page, run).moments
    done = [(one.kind, one.by.username) for one in moments if one.by and one.kind != "label"]
    assert done == [
        ("skip", "bob"),
        ("comment", "bob"),
        ("flag", "bob"),
        ("return", "ann"),
        ("verdict", "bob"),
        ("verdict", "bob"),
        ("verdict", "bob"),
    ]
    html = words_of(page.get(sample_url(run, "zero")))
    for told in ("two languages", "is this ours?", "see page 2", "took the answer back", "settled since", "taken back"):
        assert told in html
    assert 'sent it back to <strong dir="auto">bob</strong>' in html


def test_an_adjudication_says_what_the_reviewer_found(page, run, user):
    escalate(project=run.project, item_id=item_of(run, "zero").pk, why=Escalation.FLAGGED)
    adjudicate(
        project=run.project,
        item_id=item_of(run, "zero").pk,
        user_id=user.pk,
        class_id=class_of(run, "neutral").pk,
        client_id=uuid4(),
        finding=Finding.GUIDELINE,
        note="It says nothing of irony.",
    )
    html = words_of(page.get(sample_url(run, "zero")))
    assert "settled it as" in html
    assert "The guideline has a gap" in html
    assert '<blockquote class="said" dir="auto">It says nothing of irony.</blockquote>' in html
    assert "A reviewer · ann" in html


def test_a_verdict_tells_how_long_it_took_and_whether_votes_were_seen(page, run, user):
    choose(run, user, "zero")
    Verdict.objects.update(elapsed_ms=4_200, has_seen_votes=True)
    html = words_of(page.get(sample_url(run, "zero")))
    assert "· had seen the votes · 4 s" in html


def test_the_pool_of_today_comes_first_and_rounds_are_told(page, project, run):
    sample = run.dataset.samples.get(text="zero")
    old = sample.consensus.get()
    PoolGeneration.objects.create(run=run, number=1, origin="round", round_number=1)
    sample.consensus.update(is_current=False)
    Consensus.objects.create(run=run, sample=sample, generation=1, uncertainty=0, score=1, label_class=old.label_class)
    figures = {"epochs": 1, "learning_rate": 1e-5, "batch_size": 1, "trigger": "beta", "seed": 1}
    learned = RefinementRound.objects.create(project=project, run=run, dataset=run.dataset, number=1, **figures)
    learned.samples.create(sample=sample, label_class=old.label_class, role="pool")
    answers = [(one.consensus.generation, one.consensus.is_current) for one in story_of(page, run).history.answers]
    assert answers == [(1, True), (0, False)]
    html = words_of(page.get(sample_url(run, "zero")))
    assert "Run 1, generation 1" in html
    assert 'refinement/1">Round 1</a>: Hard pool' in html


@pytest.mark.parametrize("size", [1, 3])
def test_a_sample_takes_a_fixed_number_of_queries(page, project, run, user, size, django_assert_num_queries):
    sample = run.dataset.samples.get(text="zero")
    sample.consensus.update(is_current=False)
    for number in range(1, size + 1):
        PoolGeneration.objects.create(run=run, number=number)
        add_specialist(run, f"s{number}", {"zero": "neutral"})
        is_newest = number == size
        Consensus.objects.create(
            run=run, sample=sample, generation=number, uncertainty=0, score=1, is_current=is_newest
        )
        person = make_user()
        add_member(project, person)
        Skip.objects.create(item=item_of(run, "zero"), user=person, client_id=uuid4())
        Comment.objects.create(item=item_of(run, "zero"), user=person, client_id=uuid4(), text="so so")
    assert PoolMember.objects.count() == size
    page.get(sample_url(run, "zero"))
    with django_assert_num_queries(25):  # one of them looks for a pilot's answers
        page.get(sample_url(run, "zero"))
