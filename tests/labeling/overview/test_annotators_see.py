"""C47: what the home pages tell an annotator is the same whatever somebody else has answered on a blind text."""

import re
from uuid import uuid4

import pytest

from labeling.labels.actions import decide
from labeling.labels.models import ReviewItem
from labeling.projects.models import Project, Role
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    made = make_project(make_user("olga"), slug="shop")
    Project.objects.filter(pk=made.pk).update(overlap=2)
    return made


@pytest.fixture
def ann(project):
    made = make_user("ann")
    add_member(project, made)
    return made


def choose(project, user, text, name):
    item, chosen = ReviewItem.objects.get(sample__text=text), project.classes.get(name=name)
    decide(item_id=item.pk, project=project, user_id=user.pk, class_id=chosen.pk, client_id=uuid4())


def shown(client, path):
    """The words of a page without what changes at every look."""
    html = client.get(path).content.decode()
    words = re.sub(r"<script.*?</script>|<[^>]+>", " ", html.partition("<main")[2], flags=re.DOTALL)
    return re.sub(r"\s+", " ", words)


@pytest.mark.parametrize("path", ["/", "/p/shop/"])
def test_c47_a_page_does_not_tell_whether_somebody_agreed(client, project, ann, path):
    make_run(make_dataset(project, ["agreed", "disputed", "open", "far"]))
    for text in ("agreed", "disputed"):
        choose(project, project.created_by, text, "positive")
    client.force_login(ann)
    pages = []
    for text, name in (("agreed", "positive"), ("disputed", "negative")):
        before = shown(client, path)
        choose(project, ann, text, name)
        pages.append((before, shown(client, path)))
    told = [[figures(page) for page in pair] for pair in pages]
    # Both answers move the same figures by the same: one more by this person, one fewer left.
    steps = [[after - before for before, after in zip(*pair, strict=True)] for pair in told]
    assert steps[0] == steps[1]
    assert any(steps[0])


def figures(page):
    return [int(number) for number in re.findall(r"(?<![\w.])\d+(?![\w.])", page)]


def test_a_reviewer_is_told_what_all_have_decided(client, project, ann):
    make_run(make_dataset(project, ["one", "two"]))
    for user in (ann, project.created_by):
        choose(project, user, "one", "positive")
    rae = make_user("rae")
    add_member(project, rae, Role.REVIEWER)
    said = {}
    for user in (ann, rae):
        client.force_login(user)
        said[user.username] = shown(client, "/p/shop/")
    assert ("1 by you today" in said["ann"], "1 decided" in said["ann"]) == (True, False)
    assert ("by you today" in said["rae"], "1 decided" in said["rae"]) == (False, True)
