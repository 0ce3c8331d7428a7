"""The samples browser in a real browser: rows chosen and sent back, a search that goes on, one sample's time line."""

from uuid import uuid4

import pytest

from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.returns import escalate
from labeling.labels.models import Escalation, Finding, ReviewItem
from labeling.overview.samples.page import STEP
from labeling.projects.models import Role
from labeling.review.actions.returns import return_item
from labeling.review.models import Comment, Flag, Return, Skip
from tests.browser.person import DESK, PHONE
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.overview.happenings import add_specialist, choose, class_of, item_of, sample_url, url

LOOKS = {"light": (DESK, "light"), "dark": (DESK, "dark"), "phone": (PHONE, "light")}
WORDS = "The courier came on day {}, twice, to a house with a blue door the size of a barn. Support answered at once."
TEXTS = [WORDS.format(number) for number in range(12)]


@pytest.fixture
def run(staff):
    """Texts in every place of the queue, and one with a long history."""
    project = make_project(staff, name="Shop feedback")
    bob, eve = make_user("bob"), make_user("eve")
    add_member(project, bob, Role.ANNOTATOR)
    add_member(project, eve, Role.REVIEWER)
    run = make_run(make_dataset(project, TEXTS), hard=set(range(8)))
    for number, names in enumerate((("negative", "neutral"), ("negative", "positive"), ("negative", None))):
        add_specialist(run, f"tiny-{number}", dict(zip(TEXTS[:2], names, strict=True)))
    long, flagged, skipped = TEXTS[:3]
    marks = {"item": item_of(run, long), "user": bob}
    Skip.objects.create(client_id=uuid4(), **marks)
    Comment.objects.create(client_id=uuid4(), text="Half of it praises support, half of it damns the courier.", **marks)
    Flag.objects.create(client_id=uuid4(), note="Does the guideline say which half counts?", **marks)
    escalate(project=project, item_id=item_of(run, long).pk, why=Escalation.FLAGGED)
    return_item(
        project=project, item_id=item_of(run, long).pk, by_id=eve.pk, reason="The worse half counts.", to_id=bob.pk
    )
    choose(run, bob, long, "neutral")
    return_item(project=project, item_id=item_of(run, long).pk, by_id=eve.pk, reason="Still not neutral.")
    escalate(project=project, item_id=item_of(run, long).pk, why=Escalation.CONFLICT)
    adjudicate(
        project=project,
        item_id=item_of(run, long).pk,
        user_id=eve.pk,
        class_id=class_of(run, "negative").pk,
        client_id=uuid4(),
        finding=Finding.GUIDELINE,
        elapsed_ms=8_400,
    )
    escalate(project=project, item_id=item_of(run, flagged).pk, why=Escalation.FLAGGED)
    Skip.objects.create(item=item_of(run, skipped), user=bob, client_id=uuid4())
    choose(run, bob, TEXTS[3])
    choose(run, bob, TEXTS[4], "negative")
    return run


@pytest.mark.parametrize("look", LOOKS)
def test_the_samples_pages_are_in_order(reader, run, look):
    reader.look(*LOOKS[look])
    flaws = {}
    pages = {
        "list": url(run.project),
        "filtered": f"{url(run.project)}?specialist={run.project.specialists.first().pk}&disagreement=specialists",
        "sample": sample_url(run, TEXTS[0]),
    }
    for name, path in pages.items():
        reader.open(path)
        found = reader.flaws() + [f"{overflow} px too wide" for overflow in [reader.overflow()] if overflow]
        flaws |= {name: found} if found else {}
    assert flaws == {}


def _states(run):
    return list(ReviewItem.objects.filter(run=run).order_by("sample__position").values_list("state", flat=True))


def test_c17_chosen_rows_are_sent_back(reader, run):
    reader.open(f"{url(run.project)}?state=decided")
    boxes = reader.all("[name=sample]")
    assert len(boxes) == 3
    reader.find("[data-select-all]").click()
    reader.read("3 chosen")
    boxes[0].click()
    reader.read("2 chosen")
    reader.find("[name=reason]").send_keys("read page 2")
    reader.press("Chosen rows")
    reader.read("2 texts are back in the queue.", "body")
    assert reader.path == f"{url(run.project)}?state=decided"
    assert len(reader.all("[name=sample]")) == 1
    assert _states(run).count("decided") == 1
    assert list(Return.objects.order_by("-id").values_list("reason", flat=True)[:2]) == ["read page 2"] * 2


def test_a_whole_page_is_sent_back_after_a_question(reader, run):
    reader.open(f"{url(run.project)}?state=decided")
    reader.press("All on this page")
    reader.find("#confirm [data-confirm-yes]").click()
    reader.read("3 texts are back in the queue.", "body")
    assert _states(run).count("decided") == 0


def test_c18_a_sample_is_sent_back_to_one_person(reader, run):
    reader.open(sample_url(run, TEXTS[3]))
    reader.choose("#return-to", "For bob alone")
    reader.find("#return-reason").send_keys("look at the door")
    reader.press("Send back")
    reader.find("#confirm [data-confirm-yes]").click()
    reader.read("1 text is back in the queue.", "body")
    assert reader.path == sample_url(run, TEXTS[3])
    assert "look at the door" in reader.find("#history").text
    assert item_of(run, TEXTS[3]).assignee.username == "bob"


def test_a_filter_keeps_its_place_in_the_address(reader, run):
    reader.open(url(run.project))
    reader.choose("#id_state", "On a reviewer's desk")
    reader.until(lambda: "state=desk" in reader.path)
    reader.until(lambda: len(reader.all(".sample-line")) == 1)
    reader.find("[data-select-all]").click()
    reader.read("1 chosen")


def test_a_search_without_a_match_goes_on_by_itself(reader, run):
    dataset = run.dataset
    dataset.samples.filter(position=11).update(position=40 * STEP, text="the needle")
    dataset.row_count = 40 * STEP + 1
    dataset.save()
    reader.open(f"{url(run.project)}?text=needle")
    reader.until(lambda: [one.text for one in reader.all(".sample-line")] == ["the needle"])
