"""Per-person figures and agreement (C48): by name, over answers people gave on their own, with what has no value."""

import re
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.utils import timezone

from annotator_core.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from labeling.labels.models import Escalation, ItemState, Label, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Role
from labeling.quality import people
from labeling.quality.people import agreement_page, hits_with_others, lines_of
from labeling.quality.people_queries import Hits, Scope, SharedAnswer, classes_of, days_of, shared_answers
from labeling.review.models import Flag, Return, Skip
from labeling.runs.models import Run, RunState
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db
NEGATIVE, NEUTRAL, POSITIVE = range(3)


@pytest.fixture
def project():
    return make_project(make_user("olga"), slug="shop")


@pytest.fixture
def mara(project):
    made = make_user("mara")
    add_member(project, made)
    return made


@pytest.fixture
def jonas(project):
    made = make_user("Jonas")
    add_member(project, made)
    return made


def make_items(project, count, state=ItemState.DECIDED):
    make_run(make_dataset(project, [f"text {number} {uuid4()}" for number in range(count)]))
    items = list(ReviewItem.objects.filter(project=project).order_by("-id")[:count])[::-1]
    ReviewItem.objects.filter(pk__in=[item.pk for item in items]).update(state=state)
    return items


def answer(user, item, place, **fields):
    chosen = item.project.classes.all()[place]
    return Verdict.objects.create(item=item, user=user, label_class=chosen, client_id=uuid4(), **fields)


def line_of(project, user):
    return people.line_of(project, user.pk)


def page_of(project):
    people = {line.user.pk: line.user.username for line in lines_of(Scope(project), [])}
    return agreement_page(shared_answers(project), people, classes_of(project))


def test_people_stand_by_name_whatever_they_have_done(project, mara, jonas):
    for item in make_items(project, 3):
        answer(mara, item, NEUTRAL)
    gone = make_user("anna")
    answer(gone, make_items(project, 1)[0], NEUTRAL)
    lines = lines_of(Scope(project), [])
    assert [(line.user.username, line.role, line.decided.count) for line in lines] == [
        ("anna", "", 1),
        ("Jonas", "Annotator", 0),
        ("mara", "Annotator", 3),
        ("olga", "Owner", 0),
    ]


def test_only_answers_that_stand_count(project, mara):
    items = make_items(project, 5)
    answer(mara, items[0], NEUTRAL)
    answer(mara, items[1], NEUTRAL, is_current=False)
    answer(mara, items[2], NEUTRAL, is_stale=True, is_current=False)
    Verdict.objects.create(item=items[3], user=mara, label_class=None, client_id=uuid4(), is_undo=True)
    answer(mara, items[4], NEUTRAL, mode=VerdictMode.ADJUDICATED)
    other = make_project(make_user())
    answer(mara, make_items(other, 1)[0], NEUTRAL)
    found = line_of(project, mara).decided
    assert (found.count, found.today, found.settled) == (1, 1, 1)


def test_the_median_leaves_out_what_was_not_timed_and_caps_a_pause(project, mara):
    for item, elapsed_ms in zip(make_items(project, 5), (1000, 3000, 3_600_000, None, 0), strict=True):
        answer(mara, item, NEUTRAL, elapsed_ms=elapsed_ms)
    answer(mara, make_items(project, 1)[0], NEUTRAL, elapsed_ms=1, mode=VerdictMode.BULK)
    assert line_of(project, mara).seconds == 3.0


def test_a_pause_counts_as_two_minutes(project, mara):
    answer(mara, make_items(project, 1)[0], NEUTRAL, elapsed_ms=3_600_000)
    assert line_of(project, mara).seconds == 120.0


def test_answers_are_compared_with_what_came_verified(project, mara):
    items = make_items(project, 4)
    now = timezone.now()
    for item, place in zip(items, (NEUTRAL, POSITIVE, NEUTRAL, None), strict=True):
        if place is not None:
            gold = project.classes.all()[place]
            Label.objects.create(sample=item.sample, label_class=gold, source="imported", created_at=now)
        answer(mara, item, NEUTRAL)
    assert line_of(project, mara).gold == Hits(3, 2)


def test_skips_and_flags_count_but_not_those_undone(project, mara):
    first, second = make_items(project, 2)
    for kind in (Skip, Flag):
        kind.objects.create(item=first, user=mara, client_id=uuid4(), ended_at=timezone.now())
        kind.objects.create(item=second, user=mara, client_id=uuid4(), ended_at=timezone.now(), undo_id=uuid4())
    line = line_of(project, mara)
    assert (line.skips, line.flags) == (1, 1)


def test_the_days_end_today(project, mara):
    first, second, third = make_items(project, 3)
    answer(mara, first, NEUTRAL)
    for item, days in ((second, 2), (third, 40)):
        made = answer(mara, item, NEUTRAL)
        Verdict.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=days))
    days = days_of(project, mara.pk)
    assert (len(days), days[-1].day) == (30, timezone.localdate())
    assert [day.answers for day in days[-3:]] == [1, 0, 1]
    assert sum(day.answers for day in days) == 2


def shared(*texts):
    return [SharedAnswer((1, str(n)), user, given) for n, one in enumerate(texts) for user, given in one.items()]


def test_hits_with_others_by_hand():
    found = hits_with_others(shared({1: 0, 2: 0}, {1: 0, 2: 1}, {1: 0, 2: 0, 3: 1}, {4: 0}))
    assert found == {1: Hits(3, 1.5), 2: Hits(3, 1.5), 3: Hits(1, 0.0)}


def test_c48_the_coefficients_are_the_engine_s_over_all_shared_texts(project, mara, jonas):
    olga = project.created_by
    table = np.array([[0, 0, -1], [1, 1, 1], [2, 0, -1], [-1, 2, 2], [0, 0, 1], [1, -1, 1]])
    for item, row in zip(make_items(project, len(table)), table, strict=True):
        for user, place in zip((mara, jonas, olga), row, strict=True):
            if place >= 0:
                answer(user, item, int(place))
    found = page_of(project)
    values = {line.figure.kind: (line.figure.value, line.figure.low, line.figure.high) for line in found.lines}
    for kind, engine in (("fleiss", fleiss_kappa(table)), ("krippendorff", krippendorff_alpha(table))):
        assert values[kind] == pytest.approx((engine.value, engine.low, engine.high))
    assert values["cohen"] == (None, None, None)
    assert found.texts == 6
    pair = next(pair for pair in found.pairs if (pair.first, pair.second) == ("Jonas", "mara"))
    expected = cohen_kappa(table[:, :2])
    assert (pair.figure.value, pair.figure.items) == (pytest.approx(expected.value), 4)
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("Jonas", "mara"),
        ("Jonas", "olga"),
        ("mara", "olga"),
    ]


def test_c48_two_people_have_cohen_s_kappa(project, mara, jonas):
    # Wikipedia's example of Cohen's kappa: 20 and 15 the same, 5 and 10 not, kappa 0.4.
    answers = [SharedAnswer((1, str(n)), user, given[who]) for n, given in enumerate(
        [(0, 0)] * 20 + [(0, 1)] * 5 + [(1, 0)] * 10 + [(1, 1)] * 15
    ) for who, user in enumerate((mara.pk, jonas.pk))]  # fmt: skip
    classes = dict(enumerate(project.classes.all()))
    found = agreement_page(answers, {mara.pk: "mara", jonas.pk: "Jonas"}, classes)
    cohen = found.lines[0].figure
    assert (cohen.kind, cohen.value, cohen.items) == ("cohen", pytest.approx(0.4), 50)
    assert cohen.low < 0.4 < cohen.high
    assert [(one.first.name, one.second.name, one.texts) for one in found.confused] == [("negative", "neutral", 15)]


def test_c48_what_has_no_value_says_why(project, mara, jonas):
    for item in make_items(project, 3):
        answer(mara, item, NEUTRAL)
        answer(jonas, item, NEUTRAL)
    for line in page_of(project).lines:
        assert (line.figure.value, line.figure.why_not) == (None, "one_category")
        assert line.why_not == "all answers are of one class, on which chance alone agrees, too"


def counted(project):
    return sorted((one.user_id, one.class_id) for one in shared_answers(project))


@pytest.mark.parametrize(
    ("change", "n"),
    [
        ({}, 2),
        ({"has_seen_votes": True}, 0),
        ({"mode": VerdictMode.ADJUDICATED}, 0),
        ({"is_current": False}, 0),
        ({"mode": VerdictMode.BULK}, 2),
    ],
)
def test_answers_count_that_were_given_on_ones_own(project, mara, jonas, change, n):
    (item,) = make_items(project, 1)
    answer(mara, item, NEUTRAL)
    answer(jonas, item, POSITIVE, **change)
    assert len(counted(project)) == n


@pytest.mark.parametrize(
    ("state", "escalation", "n"),
    [
        (ItemState.OPEN, "", 0),
        (ItemState.OPEN, Escalation.CONFLICT, 2),
        (ItemState.DECIDED, "", 2),
        (ItemState.WITHDRAWN, "", 2),
    ],
)
def test_c47_a_text_that_waits_for_answers_is_in_no_figure(project, mara, jonas, state, escalation, n):
    (item,) = make_items(project, 1)
    answer(mara, item, NEUTRAL)
    answer(jonas, item, NEUTRAL)
    ReviewItem.objects.update(state=state, escalation=escalation)
    assert len(counted(project)) == n
    assert line_of(project, mara).others == Hits(n // 2, n // 2)


def test_an_answer_after_the_text_was_sent_back_is_not_on_ones_own(project, mara, jonas):
    (item,) = make_items(project, 1)
    answer(mara, item, NEUTRAL)
    Return.objects.create(item=item, by=project.created_by, to=jonas)
    answer(jonas, item, NEUTRAL)
    assert counted(project) == []
    answer(project.created_by, item, NEUTRAL)
    assert len(counted(project)) == 2


def test_of_equal_texts_a_person_s_latest_answer_counts_once(project, mara, jonas):
    dataset = make_dataset(project, ["one"])
    for place in (NEGATIVE, POSITIVE):
        Run.objects.update(state=RunState.CANCELLED)
        make_run(dataset)
        item = ReviewItem.objects.order_by("-id").first()
        answer(mara, item, place)
        answer(jonas, item, POSITIVE)
    ReviewItem.objects.update(state=ItemState.DECIDED)
    positive = project.classes.all()[POSITIVE].pk
    assert counted(project) == sorted([(mara.pk, positive), (jonas.pk, positive)])


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_manager_s_page_tells_of_all(client, project, mara, jonas):
    client.force_login(project.created_by)
    for item in make_items(project, 4):
        answer(mara, item, NEUTRAL, elapsed_ms=2000)
        answer(jonas, item, POSITIVE if item.pk % 2 else NEUTRAL)
    shown = text_of(client.get("/p/shop/people")).partition("What people have done")[2]
    assert shown.index("Jonas") < shown.index("mara") < shown.index("olga")
    assert "50% of 4" in shown
    assert "2.0 s" in shown
    assert "Krippendorff" in shown


def test_without_shared_texts_the_page_says_what_is_missing(client, project):
    client.force_login(project.created_by)
    assert "Undefined: no text has the answers of two people" in text_of(client.get("/p/shop/people"))


def test_a_person_sees_the_own_page_and_no_other_s(client, project, mara, jonas):
    client.force_login(mara)
    for item in make_items(project, 4):
        answer(mara, item, NEUTRAL)
        answer(jonas, item, NEUTRAL)
    shown = text_of(client.get("/p/shop/people/me"))
    assert "Answers 4 4 today" in shown
    assert "Jonas" not in shown
    assert client.get(f"/p/shop/people/{jonas.pk}").status_code == 403
    assert client.get(f"/p/shop/people/{mara.pk}").status_code == 403
    assert client.get("/p/shop/people").status_code == 403


@pytest.mark.parametrize(("count", "is_shown"), [(9, False), (10, True)])
def test_c47_the_own_page_tells_no_share_of_few_texts(client, project, mara, jonas, count, is_shown):
    client.force_login(mara)
    for item in make_items(project, count):
        answer(mara, item, NEUTRAL)
        answer(jonas, item, NEUTRAL)
    age_answers()
    shown = text_of(client.get("/p/shop/people/me"))
    assert ("100%" in shown) is is_shown
    client.force_login(project.created_by)
    assert "100%" in text_of(client.get(f"/p/shop/people/{mara.pk}"))


def age_answers():
    """They were given a day ago."""
    Verdict.objects.update(created_at=timezone.now() - timedelta(days=1))


def test_c47_the_own_page_does_not_move_by_what_is_answered_today(client, project, mara, jonas):
    items = make_items(project, 12)
    now = timezone.now()
    gold = [Label(sample=one.sample, label_class_id=class_of(one), source="imported", created_at=now) for one in items]
    Label.objects.bulk_create(gold)
    for item in items[:10]:
        answer(mara, item, NEUTRAL)
        answer(jonas, item, NEUTRAL)
    age_answers()
    for user in (mara, jonas):
        answer(user, items[10], POSITIVE)
    client.force_login(mara)
    shown = text_of(client.get("/p/shop/people/me"))
    assert ("100%" in shown, "on 10 texts that others answered, too" in shown) == (True, True)
    assert ("Answers 11 1 today" in shown, "on 10 texts with a verified class" in shown) == (True, True)
    client.force_login(project.created_by)
    assert "on 11 texts that others answered, too" in text_of(client.get(f"/p/shop/people/{mara.pk}"))


def class_of(item):
    return item.project.classes.all()[NEUTRAL].pk


def test_s19_a_person_of_another_project_is_not_found(client, project):
    stranger = make_project(make_user("anna")).created_by
    client.force_login(project.created_by)
    assert client.get(f"/p/shop/people/{stranger.pk}").status_code == 404


def test_s07_hostile_names_are_text(client, project):
    hostile = make_user("<img src=x onerror=alert(1)>")
    add_member(project, hostile, Role.REVIEWER)
    client.force_login(project.created_by)
    for path in ("people", f"people/{hostile.pk}"):
        shown = client.get(f"/p/shop/{path}").content.decode()
        assert "<img src=x" not in shown
        assert "&lt;img src=x" in shown


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_queries_however_many(client, project, mara, jonas, count, django_assert_num_queries):
    client.force_login(project.created_by)
    for item in make_items(project, count):
        for _number in range(count):
            other = make_user()
            add_member(project, other)
            answer(other, item, NEUTRAL)
    client.get("/p/shop/people")
    with django_assert_num_queries(14):
        client.get("/p/shop/people")
