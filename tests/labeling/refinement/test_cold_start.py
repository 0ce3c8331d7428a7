"""A project that no model fits trains its own specialists: from seed labels, and from a gold column."""

from uuid import uuid4

import pytest

from labeling.datasets.queries import frame_threshold
from labeling.labels.actions.seeds import draw_seeds
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import Consensus, Label
from labeling.refinement.cold_start.actions import Plan, free_name, start_cold_start, texts_to_learn
from labeling.refinement.cold_start.outcomes import confirm_all, give_up_cold_start, retry_cold_start
from labeling.refinement.cold_start.queries import entrants_of, material_of
from labeling.refinement.models import RefinementRound, RoundState
from labeling.review.actions import claim
from labeling.runs.actions import start_run
from labeling.runs.policies import Policy
from labeling.runs.queries import votable_versions
from labeling.specialists.engine import store_folder_of
from labeling.specialists.models import Specialist, SpecialistState
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import work_off
from tests.labeling.refinement.shop import CLASSES, shop_texts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _store(settings, tmp_path):
    settings.MODEL_STORE = str(tmp_path / "store")


@pytest.fixture
def user():
    return make_user(is_superuser=True)


@pytest.fixture
def dataset(user):
    dataset = make_dataset(make_project(user, classes=CLASSES), [text for text, _name in shop_texts()])
    dataset.frame_until = frame_threshold(dataset.pk)
    dataset.save()
    return dataset


@pytest.fixture
def project(dataset):
    return dataset.project


def label_seeds(dataset, user, count=100):
    """A person who knows the answers labels that many texts in the ordinary queue."""
    project, truth = dataset.project, dict(shop_texts())
    classes = {one.name: one.pk for one in project.classes.all()}
    draw_seeds(dataset=dataset, count=count)
    for _text in range(count):
        item = claim(project=project, user_id=user.pk)[0].item
        class_id = classes[truth[item.sample.text]]
        decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def test_a_hundred_labels_make_three_specialists_that_vote_well(dataset, project, user):
    label_seeds(dataset, user)
    round_ = start_cold_start(project=project, plan=Plan(seed=1), by=user)
    work_off()
    round_.refresh_from_db()
    entrants = entrants_of(round_)
    assert (round_.state, round_.pool_rows) == (RoundState.DONE, 100)
    assert [one.challenger.specialist.name for one in entrants] == ["words and characters", "words", "characters"]
    assert all(one.trial.row_count and not one.trial.abstained for one in entrants)
    assert all(one.challenger.figures["low"] > 0.6 for one in entrants)
    assert votable_versions(project) == []
    confirm_all(round_=round_, by=user)
    run = start_run(
        project=project, dataset=dataset, versions=votable_versions(project), policy=Policy(min_agree=3), by=user
    )
    work_off()
    truth = dict(shop_texts())
    answers = Consensus.objects.filter(run=run).values_list("sample__text", "label_class__name")
    right = sum(truth[text] == name for text, name in answers)
    assert (len(answers), right / len(answers) > 0.85) == (525, True)
