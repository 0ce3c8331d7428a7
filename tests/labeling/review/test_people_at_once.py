"""People come, go and answer, and a manager changes the policy, all at once, each on a connection of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection

from labeling.accounts.models import User
from labeling.labels.actions import decide
from labeling.labels.models import ItemState, Label, Lease, ReviewItem, Verdict
from labeling.projects.actions import accept_as_new, accept_invitation, add_member, create_invitation, remove_member
from labeling.projects.models import Membership, Role
from labeling.review.actions import claim
from labeling.review.policy import save_policy
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member as enrol
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db(transaction=True)
POLICY = {"review_order": "uncertain", "audit_overlap": 1, "votes_shown": "never", "is_harsh": False}
TEXTS = 12


@pytest.fixture
def owner():
    return make_user("olga")


@pytest.fixture
def project(owner):
    return make_project(owner)


def at_once(*works):
    """What each piece of work returns; they begin together."""
    barrier = Barrier(len(works))

    def run(work):
        try:
            barrier.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


def joining(invitation, name):
    def join():
        try:
            accept_as_new(invitation_id=invitation.pk, username=name, password="a long enough secret")
        except ActionError as error:
            return error.message
        return ""

    return join


def test_one_place_is_taken_once(project, owner):
    invitation = create_invitation(project=project, role=Role.ANNOTATOR, places=1, days=1, user=owner, by=Role.OWNER)
    said = at_once(*(joining(invitation, f"person-{number}") for number in range(4)))
    assert sorted(said) == ["", *["This invitation is over. Ask for a new link."] * 3]
    assert (Membership.objects.count(), User.objects.count()) == (2, 2)


def test_a_person_who_presses_twice_is_in_once(project, owner):
    invitation = create_invitation(project=project, role=Role.ANNOTATOR, places=5, days=1, user=owner, by=Role.OWNER)
    mara = make_user("mara")
    at_once(*(lambda: accept_invitation(invitation_id=invitation.pk, user=mara) for _press in range(3)))
    invitation.refresh_from_db()
    assert (Membership.objects.filter(user=mara).count(), invitation.places) == (1, 4)


def answering(project, user):
    """Take text after text until none is left."""

    def work():
        while held := claim(project=project, user_id=user.pk):
            given = {"project": project, "user_id": user.pk, "class_id": project.classes.first().pk}
            for one in held:
                decide(item_id=one.item.pk, client_id=uuid4(), **given)

    return work


def changing(project):
    """Several people a text, one a text, and so on; at last one."""

    def work():
        for overlap in (2, 1, 3, 1):
            save_policy(project=project, overlap=overlap, **POLICY)

    return work


def moving(project):
    """Somebody comes and goes."""

    def work():
        guest = make_user("guest")
        for _time in range(3):
            member = add_member(project=project, user=guest, role=Role.ANNOTATOR)
            remove_member(membership=member, by=Role.OWNER)

    return work


def test_everybody_works_while_people_and_policy_change(project, owner):
    people = [owner, *(make_user() for _number in range(2))]
    for person in people[1:]:
        enrol(project, person)
    make_run(make_dataset(project, [f"text {number}" for number in range(TEXTS)]))
    at_once(*(answering(project, person) for person in people), changing(project), moving(project))
    answering(project, owner)()
    assert set(ReviewItem.objects.values_list("state", "needed")) <= {(ItemState.DECIDED, n) for n in (1, 2, 3)}
    assert Label.objects.filter(is_current=True, verdict__isnull=False).count() == TEXTS
    assert Lease.objects.count() == 0
    run = project.runs.get()
    assert run.decided == TEXTS
    twice = Verdict.objects.filter(is_current=True).values_list("item", "user")
    assert len(twice) == len(set(twice))
