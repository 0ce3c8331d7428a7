"""Queries composed once give the rows of the query that they stand for, and refuse what they cannot stand for."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Value
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.accounts.models import User
from labeling.projects.models import LabelClass, Membership, Project, Role
from labeling.web.prepared import Prepared, PreparedChange, insert_prepared
from tests.labeling.factories import make_project, make_user

pytestmark = pytest.mark.django_db


def members(project_id: int, user_ids: list[int]) -> "QuerySet[Any]":
    """With a joined row, a figure, and a subquery."""
    others = Membership.objects.filter(project=OuterRef("project")).exclude(user=OuterRef("user"))
    return (
        Membership.objects.select_related("project", "user")
        .filter(project_id=project_id, user_id__in=user_ids)
        .annotate(classes=Count("project__classes"), has_others=Exists(others))
        .order_by("user_id")
    )


def names(project_id: int, user_id: int) -> "QuerySet[Any, Any]":
    """Two tables below each other."""
    classes = LabelClass.objects.filter(project_id=project_id).order_by().values_list("name", Value(1))
    users = User.objects.filter(pk=user_id).order_by().values_list("username", F("id"))
    return classes.union(users, all=True)


@pytest.fixture
def made() -> tuple[Project, list[User]]:
    """A project with three members."""
    owner = make_user()
    project = make_project(owner)
    users = [owner, make_user(), make_user()]
    for user in users[1:]:
        Membership.objects.create(project=project, user=user, role=Role.ANNOTATOR)
    return project, users


def test_rows_are_those_of_the_plain_query_also_the_second_time(made: tuple[Project, list[User]]) -> None:
    project, users = made
    other = make_project(users[1])
    prepared, ids = Prepared(members), [user.pk for user in users]
    for asked, user_ids in ((project, ids), (other, ids), (project, ids[:1]), (project, [ids[2], 0, -5])):
        found, plain = prepared(asked.pk, user_ids), list(members(asked.pk, user_ids))
        assert found == plain
        assert [(one.classes, one.has_others) for one in found] == [(one.classes, one.has_others) for one in plain]
        with CaptureQueriesContext(
            connection,
        ) as asks:
            assert [(one.project.name, one.user.username) for one in found] == [
                (one.project.name, one.user.username) for one in plain
            ]
        assert not asks.captured_queries
    assert len(prepared(project.pk, ids)) == len(users)


def test_tables_below_each_other_and_words(made: tuple[Project, list[User]]) -> None:
    project, users = made
    assert sorted(Prepared(names)(project.pk, users[2].pk)) == sorted(names(project.pk, users[2].pk))
    by_name = Prepared(lambda slug: Project.objects.filter(slug=slug))
    assert by_name(project.slug) == [project]
    assert by_name("' OR 1 = 1 --") == []


def test_moments_and_uuids_reach_the_database_as_they_do_without(made: tuple[Project, list[User]]) -> None:
    from labeling.labels.models import Verdict

    project, _users = made
    since = Prepared(lambda moment: Project.objects.filter(created_at__gte=moment))
    assert since(project.created_at) == [project]
    assert since(timezone.now() + timedelta(hours=1)) == []
    mark = uuid4()
    by_mark = Prepared(lambda client_id: Verdict.objects.filter(client_id=client_id).values_list("client_id"))
    with CaptureQueriesContext(connection) as asked:
        assert by_mark(mark) == list(Verdict.objects.filter(client_id=mark).values_list("client_id"))
    assert asked[0]["sql"] == asked[1]["sql"]


def test_one_statement_and_it_is_the_plain_ones(made: tuple[Project, list[User]]) -> None:
    project, users = made
    prepared = Prepared(members)
    prepared(project.pk, [0])
    with CaptureQueriesContext(connection) as asked:
        prepared(project.pk, [users[0].pk])
        list(members(project.pk, [users[0].pk]))
    assert len(asked) == 2
    assert asked[0]["sql"] == asked[1]["sql"]


@pytest.mark.django_db(transaction=True)
def test_a_query_composed_in_one_thread_runs_on_the_connection_of_another(made: tuple[Project, list[User]]) -> None:
    project, users = made
    prepared, found = Prepared(members), []
    prepared(project.pk, [users[0].pk])

    def ask() -> None:
        try:
            found.append((connection, prepared(project.pk, [users[1].pk])))
        finally:
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert [one.user for one in found[0][1]] == [users[1]]


def test_what_cannot_be_prepared_is_refused(made: tuple[Project, list[User]]) -> None:
    with pytest.raises(TypeError, match="make two"):
        Prepared(lambda is_retired: LabelClass.objects.filter(is_retired=is_retired))(True)
    with pytest.raises(TypeError, match="float"):
        Prepared(lambda share: LabelClass.objects.filter(slot=share))(0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 arguments do not stand in the query"):
        Prepared(lambda name: LabelClass.objects.filter(name__contains=name))("a")


def planned() -> list[str]:
    """The statements whose plans this connection keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall()]


@pytest.mark.only_postgres
def test_postgresql_plans_it_once_unless_told_not_to(made: tuple[Project, list[User]], settings: Any) -> None:
    project, _users = made
    asked = Prepared(lambda slug, name: Project.objects.filter(slug=slug).exclude(name=name).exclude(name="50%"))
    settings.DATABASE_PREPARES = False
    assert asked(project.slug, "other") == [project]
    assert not [one for one in planned() if "50%" in one]
    settings.DATABASE_PREPARES = True
    for name in ("other", "one", "100% s"):
        assert asked(project.slug, name) == [project]
    assert asked(project.slug, project.name) == []
    (statement,) = [one for one in planned() if "50%" in one]
    assert "$1" in statement
    assert "$2" in statement
    assert "$3" not in statement


def renamed(pk: int, name: str, key: str | None) -> tuple["QuerySet[Any]", dict[str, Any]]:
    """A class's new name and key, one place further."""
    return LabelClass.objects.filter(pk=pk), {"name": name, "key": key, "position": F("position") + 1}


def test_changes_are_those_of_the_plain_update_also_the_second_time(made: tuple[Project, list[User]]) -> None:
    project, _users = made
    first, second = project.classes.order_by("position")[:2]
    before = {one.pk: one.position for one in (first, second)}
    prepared = PreparedChange(renamed)
    assert prepared(first.pk, "one %s", "x") == 1
    assert prepared(second.pk, "two", "y") == 1
    assert prepared(second.pk, "two '; --", "z") == 1
    assert prepared(0, "nobody", "w") == 0
    found = {one.pk: (one.name, one.key, one.position) for one in project.classes.filter(pk__in=before)}
    assert found == {
        first.pk: ("one %s", "x", before[first.pk] + 1),
        second.pk: ("two '; --", "z", before[second.pk] + 2),
    }


def test_nothing_is_a_value_of_a_change_too(made: tuple[Project, list[User]]) -> None:
    project, users = made
    note = PreparedChange(lambda pk, when: (User.objects.filter(pk=pk), {"last_login": when}))
    for when in (timezone.now(), None):
        assert note(users[0].pk, when) == 1
        users[0].refresh_from_db()
        assert users[0].last_login == when
    drop = PreparedChange(lambda pk, people: (Membership.objects.filter(project_id=pk, user_id__in=people), None))
    assert drop(project.pk, [users[1].pk, 0]) == 1
    assert set(project.members.values_list("pk", flat=True)) == {users[0].pk, users[2].pk}


def test_a_change_that_loses_an_argument_is_refused(made: tuple[Project, list[User]]) -> None:
    project, _users = made
    lost = PreparedChange(lambda pk, name: (LabelClass.objects.filter(pk=pk), {"position": 1 if name else 2}))
    with pytest.raises(ValueError, match="1 arguments do not stand in the query"):
        lost(project.pk, "name")


def test_a_row_is_stored_as_its_save_stores_it(made: tuple[Project, list[User]]) -> None:
    project, _users = made
    newcomer = make_user()
    row = Membership(project=project, user=newcomer, role=Role.REVIEWER)
    insert_prepared(row)
    found = Membership.objects.get(pk=row.pk)
    assert (found.project_id, found.user_id, found.role) == (project.pk, newcomer.pk, Role.REVIEWER)
    assert found.created_at == row.created_at
    row.role = Role.ANNOTATOR
    row.save()
    assert Membership.objects.get(user=newcomer).role == Role.ANNOTATOR, "what was inserted is updated, not made anew"
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_prepared(Membership(project=project, user=newcomer, role=Role.REVIEWER))
    assert Membership.objects.filter(user=newcomer).count() == 1
