"""Texts on the desk, brought there by the site's own actions."""

from uuid import uuid4

from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem
from labeling.projects.models import Project, Role
from labeling.review.actions.flags import flag
from labeling.review.actions.queue import claim, release
from labeling.review.actions.skips import skip
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

TEXTS = ("split text", "flagged text", "skipped text", "plain text")


def make_team(overlap=2):
    """A project of rae, who reviews, and of ann and bea, who annotate; and a run whose texts wait for people."""
    rae, ann, bea = make_user("rae"), make_user("ann"), make_user("bea")
    project = make_project(make_user("olga"))
    Project.objects.filter(pk=project.pk).update(overlap=overlap)
    project.refresh_from_db()
    add_member(project, rae, Role.REVIEWER)
    for person in (ann, bea):
        add_member(project, person)
    make_run(make_dataset(project, list(TEXTS)))
    return project


def person(project, name):
    return project.members.get(username=name)


def item_of(project, text):
    return ReviewItem.objects.get(project=project, sample__text=text)


def answer(project, text, name, class_name, **more):
    """A person's answer to the text."""
    chosen = project.classes.get(name=class_name)
    item, user = item_of(project, text), person(project, name)
    more = {"client_id": uuid4(), "elapsed_ms": 4000} | more
    return decide(item_id=item.pk, project=project, user_id=user.pk, class_id=chosen.pk, **more)


def split(project, text="split text"):
    """ann and bea disagree on the text."""
    answer(project, text, "ann", "negative", elapsed_ms=42_000)
    answer(project, text, "bea", "positive")
    return item_of(project, text)


def flag_text(project, text="flagged text", name="ann", note="Two feelings in one"):
    user = person(project, name)
    flag(project=project, user_id=user.pk, item_id=item_of(project, text).pk, client_id=uuid4(), note=note)
    return item_of(project, text)


def skip_text(project, text="skipped text", names=("ann", "bea")):
    for name in names:
        skip(project=project, user_id=person(project, name).pk, item_id=item_of(project, text).pk)
    return item_of(project, text)


def queue_of(project, name):
    """The texts that the person gets from the queue, in order; none stays on the screen."""
    user = person(project, name)
    texts = [held.item.sample.text for held in claim(project=project, user_id=user.pk, n=5)]
    release(project=project, user_id=user.pk)
    return texts
