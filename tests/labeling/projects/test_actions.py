import pytest

from labeling.accounts.models import User
from labeling.projects.actions import (
    ClassSpec,
    add_member,
    change_role,
    create_class,
    create_project,
    edit_class,
    invite_person,
    move_class,
    remove_member,
    restore_class,
    retire_class,
    save_guideline,
)
from labeling.projects.keys import CLASS_KEYS, RESERVED_KEYS, free_key, free_slot
from labeling.projects.models import Membership, Project, Role
from labeling.projects.queries import active_classes, guideline_text
from labeling.web.errors import ActionError
from tests.labeling.factories import make_user

pytestmark = pytest.mark.django_db


def create(name="Shop", classes=("bad", "good"), **fields):
    return create_project(owner=make_user(), name=name, classes=[ClassSpec(each) for each in classes], **fields)


def keys(project):
    return {each.name: each.key for each in project.classes.all()}


def names(project):
    return [each.name for each in active_classes(project)]


def test_a_project_comes_whole():
    project = create(name="  Shop   feedback ", guideline="# Read")
    assert (project.name, project.slug, names(project)) == ("Shop feedback", "shop-feedback", ["bad", "good"])
    assert guideline_text(project) == "# Read"
    assert [(each.user_id, each.role) for each in project.memberships.all()] == [(project.created_by_id, Role.OWNER)]


def test_a_project_that_is_refused_leaves_nothing():
    with pytest.raises(ActionError, match="Bad: There is a class “bad” already"):
        create(classes=("bad", "Bad"))
    assert not Project.objects.exists()


@pytest.mark.parametrize(
    ("name", "slug"), [("Shop", "shop-2"), ("商店", "project"), ("--", "project"), ("Shop!", "shop-2")]
)
def test_a_slug_is_free_and_never_empty(name, slug):
    create(name="Shop")
    assert create(name=name).slug == slug


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\x00b", "a\u202eb"])
def test_a_bad_name_is_refused(name):
    with pytest.raises(ActionError) as caught:
        create(name=name)
    assert caught.value.field == "name"


def test_c19_no_class_gets_a_key_of_the_review_screen():
    assert not set(CLASS_KEYS) & set(RESERVED_KEYS)
    project = create(classes=[f"class {number}" for number in range(29)])
    assert set(keys(project).values()) == set(CLASS_KEYS)


@pytest.mark.parametrize("key", [*RESERVED_KEYS, "U", "0", "ä", "é"])
def test_c19_a_reserved_or_odd_key_is_refused(key):
    with pytest.raises(ActionError) as caught:
        create_class(project=create(), name="other", key=key)
    assert caught.value.field == "key"


def test_c19_a_key_belongs_to_one_class():
    project = create()
    with pytest.raises(ActionError, match="The key “1” belongs to “bad”"):
        edit_class(label_class=project.classes.get(name="good"), key="1")


def test_c19_when_all_keys_are_taken_a_class_has_none():
    project = create(classes=[f"class {number}" for number in range(31)])
    assert list(keys(project).values()).count("") == 2


def test_c19_asked_keys_come_before_given_ones():
    project = create_project(owner=make_user(), name="Shop", classes=[ClassSpec("a"), ClassSpec("b", key="1")])
    assert keys(project) == {"a": "2", "b": "1"}


def test_c20_keys_stay_when_the_list_changes():
    project = create(classes=("a", "b", "c", "d"))
    before = keys(project)
    move_class(label_class=project.classes.get(name="d"), step=-3)
    retire_class(label_class=project.classes.get(name="b"))
    edit_class(label_class=project.classes.get(name="c"), name="c!")
    create_class(project=project, name="e")
    assert names(project) == ["d", "a", "c!", "e"]
    assert keys(project) == {"a": before["a"], "b": before["b"], "c!": before["c"], "d": before["d"], "e": "5"}


def test_c20_a_restored_class_has_its_key_again_unless_it_was_taken():
    project = create(classes=("a", "b", "c"))
    retire_class(label_class=project.classes.get(name="a"))
    assert restore_class(label_class=project.classes.get(name="a")).key == "1"
    retire_class(label_class=project.classes.get(name="a"))
    create_class(project=project, name="d", key="1")
    assert restore_class(label_class=project.classes.get(name="a")).key == "4"


def test_two_classes_are_the_least():
    with pytest.raises(ActionError, match="needs two classes"):
        retire_class(label_class=create().classes.get(name="bad"))


def test_a_retired_name_is_restored_not_doubled():
    project = create(classes=("a", "b", "c"))
    retire_class(label_class=project.classes.get(name="c"))
    with pytest.raises(ActionError, match="Restore it"):
        create_class(project=project, name="C")


def test_slots_repeat_after_the_palette():
    assert [free_slot([]), free_slot([0, 1, 3]), free_slot([*range(24), 0])] == [0, 2, 1]
    assert free_key(CLASS_KEYS) == ""


def test_a_guideline_has_versions_only_where_it_changed():
    project, user = create(guideline="one"), make_user()
    assert not save_guideline(project=project, text="one\r\n", user=user)
    assert save_guideline(project=project, text="two", user=user)
    assert list(project.guidelines.values_list("text", flat=True)) == ["two", "one"]


def test_a_new_person_gets_an_account_that_is_no_operator():
    membership, is_new = invite_person(project=create(), username=" mara ", role=Role.ANNOTATOR, by=Role.MANAGER)
    user = membership.user
    assert (is_new, user.username, user.is_staff, user.has_usable_password()) == (True, "mara", False, False)


def test_an_old_account_is_found_whatever_its_case_and_is_not_new():
    user = make_user("Mara")
    membership, is_new = invite_person(project=create(), username="mara", role=Role.ANNOTATOR, by=Role.MANAGER)
    assert (membership.user_id, is_new) == (user.pk, False)


def test_s16_a_manager_neither_makes_nor_touches_owners():
    project = create()
    owner = project.memberships.get()
    with pytest.raises(ActionError):
        invite_person(project=project, username="mara", role=Role.OWNER, by=Role.MANAGER)
    with pytest.raises(ActionError):
        change_role(membership=owner, role=Role.ANNOTATOR, by=Role.MANAGER)
    with pytest.raises(ActionError):
        remove_member(membership=owner, by=Role.MANAGER)
    assert not User.objects.filter(username="mara").exists()
    assert Membership.objects.get().role == Role.OWNER


def test_the_last_owner_stays():
    project = create()
    first = project.memberships.get()
    for act in (lambda: remove_member(membership=first, by=Role.OWNER), lambda: step_down(first)):
        with pytest.raises(ActionError, match="needs an owner"):
            act()
    add_member(project=project, user=make_user(), role=Role.OWNER)
    step_down(first)
    assert sorted(project.memberships.values_list("role", flat=True)) == ["annotator", "owner"]


def step_down(membership):
    change_role(membership=membership, role=Role.ANNOTATOR, by=Role.OWNER)


def test_nobody_is_a_member_twice():
    project = create()
    with pytest.raises(ActionError, match="is a member already"):
        add_member(project=project, user=project.created_by, role=Role.ANNOTATOR)
