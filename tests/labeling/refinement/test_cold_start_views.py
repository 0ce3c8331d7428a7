"""The page on which a project trains its first specialists, in each of its states, and what its buttons do."""

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.labels.models import ItemState, ReviewItem
from labeling.refinement.cold_start.actions import Plan, start_cold_start
from labeling.refinement.models import RefinementRound, RoundState
from labeling.runs.queries import votable_versions
from labeling.specialists.actions import archive_specialist
from labeling.specialists.models import SpecialistVersion
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import work_off
from tests.labeling.refinement.shop import CLASSES, shop_texts
from tests.labeling.refinement.test_cold_start import TRUTH, fail_one, give_gold, know

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _store(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")
    settings.LEASE_S = 600


@pytest.fixture
def project(client):
    user = make_user()
    client.force_login(user)
    return make_project(user, classes=CLASSES)


@pytest.fixture
def dataset(project):
    return make_dataset(project, list(TRUTH))


def url(project, verb=""):
    words = {"slug": project.slug} | ({"verb": verb} if verb else {})
    return reverse("cold:act" if verb else "cold:train", kwargs=words)


def read(client, project, **given):
    return client.get(url(project), **given).content.decode()


def press(client, project, verb, **data):
    return client.post(url(project, verb), data, follow=True).content.decode()


def trained(project):
    round_ = start_cold_start(project=project, plan=Plan(count=2, seed=1), by=None)
    work_off()
    return round_


def test_the_models_page_leads_here_with_and_without_models(client, project, dataset):
    models = reverse("specialists:list", kwargs={"slug": project.slug})
    assert url(project) in client.get(models).content.decode()
    know(dataset, 60)
    start_cold_start(project=project, plan=Plan(count=2), by=None)
    page = client.get(models).content.decode()
    assert (url(project) in page, "Training" in page, "Trained here" in page) == (True, True, True)


def test_without_data_the_page_asks_for_some(client, project):
    page = read(client, project)
    assert ("No texts yet" in page, "Draw texts" in page, "Train specialists" in page) == (True, False, False)


def test_drawing_and_withdrawing(client, project, dataset):
    assert "Draw texts" in read(client, project)
    assert "30 texts more wait in the queue." in press(client, project, "draw", dataset=dataset.pk, count=30)
    page = read(client, project)
    assert ("0 of 30" in page, reverse("review:screen", kwargs={"slug": project.slug}) in page) == (True, True)
    assert "30 texts left the queue." in press(client, project, "withdraw")
    assert set(ReviewItem.objects.values_list("state", flat=True)) == {ItemState.WITHDRAWN}


def test_a_draw_of_too_many_is_refused(client, project, dataset):
    answer = client.post(url(project, "draw"), {"dataset": dataset.pk, "count": 501})
    assert (answer.status_code, ReviewItem.objects.count()) == (409, 0)


def test_another_projects_data_cannot_be_drawn_from(client, project):
    foreign = make_dataset(make_project(make_user(), classes=CLASSES), ["foreign text"] * 30)
    assert client.post(url(project, "draw"), {"dataset": foreign.pk, "count": 30}).status_code == 409
    assert not ReviewItem.objects.exists()


def test_what_is_missing_of_each_class_is_said(client, project, dataset):
    know(dataset, 22, "bug", "praise")
    page = read(client, project)
    assert ("Label 5 more of billing" in page, "Few labels so far" in page) == (True, True)


def test_with_under_twenty_labels_there_is_no_form(client, project, dataset):
    know(dataset, 19)
    page = read(client, project)
    assert ("Training starts from 20 labeled texts; there are 19." in page, "train-form" in page) == (True, False)


def test_a_class_without_texts_is_asked_about_at_its_field(client, project, dataset):
    know(dataset, 40, "bug", "praise")
    answer = client.post(url(project), {"method": "linear", "count": 2}, headers=HTMX)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["are_holes_confirmed"])
    client.post(url(project), {"method": "linear", "count": 2, "are_holes_confirmed": "on"})
    assert RefinementRound.objects.get().state == RoundState.TRAINING


def test_the_way_from_labels_to_voters(client, project, dataset):
    know(dataset, 100)
    assert "Train specialists" in read(client, project)
    answer = client.post(url(project), {"method": "linear", "count": 3})
    assert answer.headers["Location"] == url(project)
    page = read(client, project)
    assert ("0 of 3" in page, "data-live-topic" in page, "Stop" in page) == (True, True, True)
    work_off()
    assert "Let all 3 vote" in read(client, project)
    page = press(client, project, "confirm")
    assert ("May vote now: words and characters, words, characters." in page, "Plan a run" in page) == (True, True)
    assert len(votable_versions(project)) == 3
    assert press(client, project, "confirm").count("No specialist of this training waits for you") == 1


def test_gold_is_offered_and_learned_from_only_where_it_is_ticked(client, project, dataset):
    give_gold(dataset, 200)
    page = read(client, project)
    assert "column “kind”: 180 texts name a class" in page
    refused = client.post(url(project), {"method": "linear", "count": 2})
    assert (refused.status_code, "There are 0 labeled texts" in refused.content.decode()) == (422, True)
    client.post(url(project), {"method": "linear", "count": 2, "gold": [dataset.pk]})
    assert RefinementRound.objects.get().pool_rows == 180


def test_an_encoder_needs_a_folder_that_managers_may_name(client, project, dataset, tmp_path):
    know(dataset, 40)
    sent = {"method": "torch", "count": 2, "base": "folder"}
    for folder, word in (("", "Name the folder"), (str(tmp_path), "Folders are taken from")):
        answer = client.post(url(project), sent | {"folder": folder})
        assert (answer.status_code, word in answer.content.decode()) == (422, True)


def test_a_failure_is_shown_with_its_reason_and_can_be_given_up(client, project, dataset):
    know(dataset, 40)
    fail_one(project)
    page = read(client, project)
    assert ("The disk is full." in page, "Try again" in page) == (True, True)
    page = press(client, project, "stop")
    assert ("What was not trained is off the list." in page, "Let it vote" in page) == (True, True)


def test_a_failure_whose_specialists_were_removed_can_be_given_up(client, project, dataset):
    know(dataset, 40)
    for challenger in fail_one(project).challengers.select_related("specialist"):
        archive_specialist(specialist=challenger.specialist)
    assert "The training failed" in read(client, project)
    press(client, project, "stop")
    assert start_cold_start(project=project, plan=Plan(count=2), by=None).state == RoundState.TRAINING


def test_who_was_let_vote_is_not_asked_for_again_when_rounds_replaced_its_version(client, project, dataset):
    know(dataset, 40)
    trained(project)
    press(client, project, "confirm")
    SpecialistVersion.objects.filter(specialist__project=project).update(pruned_at=timezone.now())
    page = read(client, project)
    assert ("Plan a run" in page, "Let all 2 vote" in page) == (True, False)


def test_an_encoder_without_a_chosen_base_is_the_folder_that_was_named(client, project, dataset):
    know(dataset, 40)
    answer = client.post(url(project), {"method": "torch", "folder": "/nowhere/at/all", "count": 2})
    assert (answer.status_code, "Folders are taken from" in answer.content.decode()) == (422, True)


def test_a_failed_specialists_own_page_leads_here(client, project, dataset):
    know(dataset, 40)
    round_ = fail_one(project)
    for challenger in round_.challengers.all():
        page = client.get(
            reverse("specialists:detail", kwargs={"slug": project.slug, "specialist_id": challenger.specialist_id})
        ).content.decode()
        assert ("The training failed" in page, url(project) in page) == (challenger.position == 1,) * 2


def test_the_refinement_page_shows_it_and_leads_here(client, project, dataset):
    know(dataset, 40)
    round_ = start_cold_start(project=project, plan=Plan(count=2, seed=1), by=None)
    words = {"slug": project.slug, "number": round_.number}
    for page in (reverse("refinement:detail", kwargs=words), reverse("refinement:list", kwargs={"slug": project.slug})):
        assert f'data-live-topic="cold:{round_.pk}"' in client.get(page).content.decode()
    work_off()
    page = client.get(reverse("refinement:detail", kwargs=words)).content.decode()
    assert ("The first specialists are trained." in page, url(project) in page) == (True, True)
    assert "First specialists" in client.get(reverse("refinement:list", kwargs={"slug": project.slug})).content.decode()
    answer = client.post(reverse("refinement:act", kwargs=words | {"verb": "give-up"}))
    assert answer.headers["Location"] == url(project)


def test_buttons_without_a_training_say_so(client, project):
    for verb in ("retry", "stop", "confirm"):
        assert client.post(url(project, verb)).status_code == 409


def test_the_labels_alone_are_asked_for_again(client, project, dataset):
    press(client, project, "draw", dataset=dataset.pk, count=30)
    part = client.get(url(project) + "?part=labels", headers=HTMX).content.decode()
    assert ('id="labels"' in part, 'id="work"' in part) == (True, False)


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_takes_the_same_queries_however_much_was_labeled(
    client, project, dataset, count, django_assert_num_queries
):
    know(dataset, 30 * count)
    trained(project)
    read(client, project)
    with django_assert_num_queries(22):
        read(client, project)


def test_texts_of_the_shop_are_all_different():
    assert len(TRUTH) == len(shop_texts()) == 525
