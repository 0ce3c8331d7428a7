"""The samples list: its filters, its pages, what it costs."""

from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import F

from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.returns import escalate
from labeling.labels.models import Consensus, Escalation, ReviewItem
from labeling.overview.samples.page import PAGE, STEP, find
from labeling.overview.samples.values import DISAGREEMENTS, SOURCES, STATES, FilterValues
from labeling.review.actions.returns import return_item
from labeling.review.models import Skip
from tests.labeling.asked import make_answer, make_connection, make_verified
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.overview.happenings import TEXTS, add_specialist, choose, class_of, item_of, shown, url

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
QUERIES = 11 if connection.vendor == "sqlite" else 12  # PostgreSQL is told not to compile


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
        ("?state=nonsense&source=x&label_class=999&after=-4&dataset=77&vote=1&annotator=x", TEXTS),
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


@pytest.fixture
def busy(project, user):
    """One text in each place of the queue, and one decided."""
    run = make_run(make_dataset(project, [*TEXTS, "plain"]))
    bob = make_user("bob")
    add_member(project, bob)
    choose(run, user, "zero")
    escalate(project=project, item_id=item_of(run, "one").pk, why=Escalation.FLAGGED)
    escalate(project=project, item_id=item_of(run, "two").pk, why=Escalation.SKIPPED)
    for text in ("two", "three"):
        Skip.objects.create(item=item_of(run, text), user=bob, client_id=uuid4())
    choose(run, user, "four")
    return_item(project=project, item_id=item_of(run, "four").pk, by_id=user.pk, reason="look again")
    escalate(project=project, item_id=item_of(run, "five").pk, why=Escalation.CONFLICT)
    return run


@pytest.mark.parametrize(
    ("state", "texts"),
    [
        ("review", ["one", "two", "three", "four", "five", "plain"]),
        ("skipped", ["two", "three"]),
        ("flagged", ["one"]),
        ("conflict", ["five"]),
        ("desk", ["one", "two", "five"]),
        ("returned", ["four"]),
        ("decided", ["zero"]),
    ],
)
def test_c17_each_place_in_the_queue_is_a_filter(page, project, busy, state, texts):
    assert shown(page.get(url(project), {"state": state})) == texts


def test_rows_say_where_they_stand(page, project, busy):
    rows = page.get(url(project)).context["rows"]
    assert [(row.text, row.standing, row.is_on_desk) for row in rows] == [
        ("zero", "", False),
        ("one", "Flagged", True),
        ("two", "Skipped by all", True),
        ("three", "Skipped", False),
        ("four", "Sent back", False),
        ("five", "People disagree", True),
        ("plain", "To review", False),
    ]


def test_samples_are_filtered_by_who_answered(page, project, run, user):
    bob = make_user("bob")
    add_member(project, bob)
    choose(run, user, "zero")
    choose(run, bob, "three")
    assert shown(page.get(url(project), {"annotator": user.pk})) == ["zero"]
    assert shown(page.get(url(project), {"annotator": bob.pk})) == ["three"]
    stranger = make_user()
    assert shown(page.get(url(project), {"annotator": stranger.pk})) == TEXTS


def test_samples_are_filtered_by_a_specialist_and_its_vote(page, project, run, user):
    choose(run, user, "zero")
    version = add_specialist(run, "tiny", {"zero": "neutral", "one": "neutral", "two": None})
    tiny = version.specialist_id

    def texts(vote=""):
        return shown(page.get(url(project), {"specialist": tiny, "vote": vote}))

    assert texts() == ["zero", "one", "two"]
    assert texts("none") == ["two"]
    assert texts(class_of(run, "neutral").pk) == ["zero", "one"]
    assert texts("other") == ["zero"]
    add_specialist(run, "tiny 2", {"zero": "positive"}, number=2, specialist=version.specialist)
    assert (texts(class_of(run, "neutral").pk), texts("other")) == (["one"], [])
    rows = page.get(url(project), {"specialist": tiny}).context["rows"]
    assert [row.vote.label_class and row.vote.label_class.name for row in rows] == ["positive", "neutral", None]


def test_a_vote_without_its_specialist_filters_nothing(page, project, run):
    assert shown(page.get(url(project), {"vote": class_of(run, "neutral").pk})) == TEXTS


def test_samples_are_filtered_by_disagreement(page, project, run, user):
    bob, reviewer = make_user("bob"), make_user("eve")
    for person in (bob, reviewer):
        add_member(project, person)
    Consensus.objects.filter(sample__text__in=("zero", "one", "two")).update(uncertainty=0)
    choose(run, user, "zero", "positive")
    connection = make_connection(project)
    make_verified(run, connection)
    make_answer(run, run.dataset.samples.get(text="one"), connection, class_of(run, "positive"))
    make_answer(run, run.dataset.samples.get(text="two"), connection, class_of(run, "positive"))

    def texts(kind):
        return shown(page.get(url(project), {"disagreement": kind}))

    assert texts("specialists") == ["three", "four", "five"]
    assert texts("label") == ["zero"]
    assert texts("verifier") == ["one"]
    assert texts("people") == []
    ReviewItem.objects.filter(sample__text="three").update(needed=2)
    choose(run, user, "three", "positive")
    choose(run, bob, "three", "negative")
    assert texts("people") == []
    _settle(run, reviewer, "three")
    assert texts("people") == ["three"]


def _settle(run, reviewer, text):
    adjudicate(
        project=run.project,
        item_id=item_of(run, text).pk,
        user_id=reviewer.pk,
        class_id=class_of(run, "neutral").pk,
        client_id=uuid4(),
    )


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


def test_every_filter_and_pair_of_filters_can_be_asked(run, user):
    add_specialist(run, "tiny", {"zero": "neutral"})
    specialist, class_id = run.project.specialists.get().pk, class_of(run, "neutral").pk
    queue = [{"state": state} for state, _name in STATES]
    others = [{"source": source} for source, _name in SOURCES]
    others += [{"disagreement": kind} for kind, _name in DISAGREEMENTS]
    others += [{"specialist": specialist, "vote": vote} for vote in ("", "other", "none", str(class_id))]
    others += [{"annotator": user.pk}, {"label_class": class_id}, {"text": "zero"}]
    for asked in ({**one, **other} for one in queue for other in others):
        found = find(run.dataset, FilterValues(**asked))
        assert found.searched == (1, 6), asked


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


def test_a_rare_state_is_paged_without_looking_through_all_rows(page, project, user):
    run = make_run(make_dataset(project, [f"text {i:03}" for i in range(2 * PAGE)]))
    ReviewItem.objects.filter(run=run, sample__position__gte=PAGE - 10).update(escalation=Escalation.FLAGGED)
    # As if the rows were far apart: no step by position would come to them.
    run.dataset.samples.order_by("-position").update(position=F("position") * 1_000_000)
    run.dataset.row_count = 2 * PAGE * 1_000_000
    run.dataset.save()
    found = find(run.dataset, FilterValues(state="flagged"), patience_s=0)
    assert [sample.position // 1_000_000 for sample in found.samples] == list(range(PAGE - 10, 2 * PAGE - 10))
    rest = find(run.dataset, FilterValues(state="flagged", after=found.after), patience_s=0)
    assert [sample.position // 1_000_000 for sample in rest.samples] == list(range(2 * PAGE - 10, 2 * PAGE))
    assert rest.after is None
    back = find(run.dataset, FilterValues(state="flagged", before=rest.before), patience_s=0)
    assert [one.pk for one in back.samples] == [one.pk for one in found.samples]


@pytest.fixture
def far(project):
    dataset = make_dataset(project, ["first", "rare"])
    dataset.samples.filter(text="rare").update(position=STEP + 5)
    dataset.row_count = STEP + 6
    dataset.save()
    return dataset


def test_a_search_goes_on_where_its_time_was_up(far):
    first = find(far, FilterValues(text="rare"), patience_s=0)
    assert (first.samples, first.searched, first.after) == ([], (1, STEP), STEP - 1)
    second = find(far, FilterValues(text="rare", after=first.after), patience_s=0)
    assert ([one.excerpt for one in second.samples], second.after) == (["rare"], None)
    back = find(far, FilterValues(text="first", before=STEP + 6), patience_s=0)
    assert (back.samples, back.searched, back.before) == ([], (7, STEP + 6), 6)


def test_with_time_left_a_search_looks_through_all_rows(far):
    found = find(far, FilterValues(text="rare"), patience_s=60)
    assert ([one.excerpt for one in found.samples], found.searched) == (["rare"], (1, STEP + 6))


@pytest.mark.parametrize("size", [1, 3])
def test_samples_take_a_fixed_number_of_queries(page, project, size, django_assert_num_queries):
    make_run(make_dataset(project, TEXTS[:size]))
    with django_assert_num_queries(QUERIES):
        page.get(url(project), headers=HTMX)


def test_samples_htmx_gets_the_list_alone(page, project, run):
    html = page.get(url(project), headers=HTMX).content.decode()
    assert html.lstrip().startswith('<div id="list"')
    assert "<html" not in html
