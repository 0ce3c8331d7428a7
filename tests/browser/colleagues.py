"""Two people beside the one at the browser: they agree, disagree, flag, skip and remark."""

from uuid import uuid4

from django.db import transaction

from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.overlap import settle_overlap
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import Finding, ReviewItem
from labeling.projects.models import Role
from labeling.review.actions.comments import add_comment
from labeling.review.actions.flags import flag
from labeling.review.actions.queue import claim, release
from labeling.review.actions.returns import return_item
from labeling.review.actions.skips import skip
from tests.labeling.factories import add_member, make_user


def make_colleagues(project):
    """Everything is answered twice from now on."""
    people = [make_user("mara"), make_user("jon")]
    for one in people:
        add_member(project, one, Role.ANNOTATOR)
    project.overlap = 2
    project.save()
    with transaction.atomic():
        settle_overlap(project=project)
    return people


def answer(item, user, number, elapsed_ms=5_200):
    """The class of that number, counted from 0."""
    chosen = item.project.classes.order_by("position")[number]
    return decide(
        item_id=item.pk,
        project=item.project,
        user_id=user.pk,
        class_id=chosen.pk,
        client_id=uuid4(),
        elapsed_ms=elapsed_ms,
    )


def work_a_while(project, people):
    """Agreement on most, two conflicts, a flag, a text that both skip; returns an item with a long history."""
    items = list(
        ReviewItem.objects.filter(project=project, state="open", assignee=None).order_by("priority", "id")[:12]
    )
    mara, jon = people
    for number, item in enumerate(items[:8]):
        answer(item, mara, number % 3, 3_900 + 700 * number)
        answer(item, jon, (number + (number in {3, 6})) % 3, 4_400 + 400 * number)
    remark = "The first half is praise, the second is not."
    add_comment(project=project, user_id=jon.pk, item_id=items[3].pk, client_id=uuid4(), text=remark)
    note = "Is a question about a refund negative?"
    flag(project=project, user_id=mara.pk, item_id=items[8].pk, client_id=uuid4(), note=note)
    for one in people:
        skip(project=project, user_id=one.pk, item_id=items[9].pk, client_id=uuid4())
    claim(project=project, user_id=jon.pk, n=3)
    release(project=project, user_id=mara.pk)
    return items[3]


def settle_one(project, item, reviewer):
    """The reviewer decides a conflict with a finding, and sends an agreed text back to Mara."""
    chosen = project.classes.order_by("position").last()
    adjudicate(
        project=project,
        item_id=item.pk,
        user_id=reviewer.pk,
        class_id=chosen.pk,
        client_id=uuid4(),
        finding=Finding.GUIDELINE,
        note="The last word counts: it goes into the guideline.",
    )
    agreed = ReviewItem.objects.filter(project=project, state="decided", verdicts__user__username="mara").first()
    mara = project.members.get(username="mara")
    reason = "Read the last sentence again."
    return_item(project=project, item_id=agreed.pk, by_id=reviewer.pk, reason=reason, to_id=mara.pk)
