"""People: an invitation link, keys of one's own, what everybody has done; in every look."""

from uuid import uuid4

import pytest
from selenium.webdriver.common.keys import Keys

from labeling.accounts.models import User
from labeling.labels.models import ItemState, ReviewItem, Verdict
from labeling.projects.actions import create_invitation
from labeling.projects.invitations import join_path
from labeling.projects.models import Membership, Role
from labeling.review.models import Preferences
from tests.browser.person import DESK, PHONE
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

LOOKS = {"light": (DESK, "light"), "dark": (DESK, "dark"), "phone": (PHONE, "light")}
PASSWORD = "a long enough secret"


@pytest.fixture
def project(staff):
    return make_project(staff, slug="shop", name="Shop")


def work(project, *, people=3, texts=12):
    """Some people who have answered the same texts, mostly alike."""
    make_run(make_dataset(project, [f"text {number}" for number in range(texts)]))
    classes = list(project.classes.all())
    members = [make_user(f"person-{number}") for number in range(people)]
    for number, member in enumerate(members):
        add_member(project, member, Role.REVIEWER if number == 1 else Role.ANNOTATOR)
        for place, item in enumerate(ReviewItem.objects.order_by("id")):
            chosen = classes[(place + (place % 5 == number)) % len(classes)]
            given = {"client_id": uuid4(), "elapsed_ms": 1500 * (number + 1), "label_class": chosen}
            Verdict.objects.create(item=item, user=member, **given)
    ReviewItem.objects.update(state=ItemState.DECIDED)
    return members


def test_a_person_joins_by_a_link(reader, project, staff):
    reader.open("/p/shop/members")
    reader.choose("#invite-role", "Reviewer")
    reader.press("Make a link")
    link = reader.text(".invitation .handover-link")
    reader.chrome.delete_all_cookies()
    reader.chrome.get(link)
    reader.read("You are invited")
    assert reader.flaws() == []
    for name, value in {"username": "mara", "password": PASSWORD, "again": PASSWORD}.items():
        reader.fill(f"#id_{name}", value)
    reader.press("Join")
    reader.until(lambda: reader.path == "/p/shop/")
    assert Membership.objects.get(user=User.objects.get(username="mara")).role == Role.REVIEWER


def test_a_key_of_one_s_own_is_pressed_in_its_field(reader, staff):
    reader.open("/account/keys")
    reader.click("#key-skip")
    reader.key("x")
    reader.key(Keys.TAB)
    reader.key(Keys.ARROW_LEFT)
    reader.key(Keys.TAB)
    reader.key("y")
    reader.key(Keys.BACKSPACE)
    reader.press("Save keys")
    reader.until(lambda: Preferences.objects.filter(user=staff).exists())
    assert Preferences.objects.get(user=staff).keys == {"skip": "x", "flag": "ArrowLeft"}
    reader.until(lambda: reader.find("#key-skip").get_attribute("value") == "x")


def test_a_clash_is_told_at_its_field(reader, staff):
    reader.open("/account/keys")
    reader.click("#key-flag")
    reader.key("s")
    # A refused form has the status 422, which is no error of the page: htmx is not asked here.
    reader.chrome.execute_script("document.querySelector('[data-own-keys]').noValidate = true")
    reader.press("Save keys")
    reader.read("is the key of “Skip” already")
    assert reader.find("#key-flag").get_attribute("aria-invalid") == "true"
    assert [one for one in reader.errors() if "422" not in one] == []


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_people_in_every_look(reader, project, staff, look):
    members = work(project)
    given = {"project": project, "user": staff, "by": Role.OWNER, "days": 7}
    for role, places in ((Role.ANNOTATOR, 20), (Role.OWNER, 1)):
        made = create_invitation(role=role, places=places, **given)
    reader.look(*LOOKS[look])
    flaws = {}
    pages = ["members", "people", "people/me", f"people/{members[0].pk}", "settings"]
    for path in [f"/p/shop/{page}" for page in pages] + ["/account/keys", "/account", join_path(made)]:
        reader.open(path)
        found = reader.flaws() + [f"{overflow} px too wide" for overflow in [reader.overflow()] if overflow]
        flaws |= {path: found} if found else {}
    assert flaws == {}
