"""Rounds with real transformers: clean labels are promoted, labels flipped at random are not."""

import random

import pytest

from annotator_core.demo import CLASSES, verified_path
from labeling.refinement.actions import promote
from labeling.refinement.models import TRAINING_ROLES, ChallengerState, RoundState
from labeling.runs.queries import pool_of
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.refinement.learning import decide_most, finish_round, start, train_now
from tests.labeling.refinement.shipped import GOLD, LEARNING_RATE, gold_index, make_checked, shipped_pool

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
FLIPPED = 0.4


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def flip(round_):
    """Give that share of the training rows another class; gate rows stay as they are."""
    dice = random.Random(1)
    class_ids = list(round_.project.classes.values_list("id", flat=True))
    for row in round_.samples.filter(role__in=TRAINING_ROLES).order_by("id"):
        if dice.random() < FLIPPED:
            row.label_class_id = dice.choice([one for one in class_ids if one != row.label_class_id])
            row.save()


@pytest.mark.timeout(400)
def test_clean_labels_are_promoted_and_then_flipped_ones_are_not():
    project = make_project(make_user(), classes=CLASSES)
    make_checked(project, verified_path())
    policy = {"learning_rate": LEARNING_RATE, "replay_share": 0.6}
    run = start(project, make_dataset(project, list(GOLD)[:900]), shipped_pool(project), **policy)
    clean = finish_round(train_now(decide_most(run, gold_index, left=80)))
    verdicts = {one.verdict: one.state for one in clean.challengers.all()}
    assert (clean.state, verdicts["better"]) == (RoundState.DONE, ChallengerState.PROMOTED)
    assert all(one.accuracy_after > one.accuracy_before + 0.05 for one in clean.challengers.all())
    for challenger in clean.challengers.filter(state=ChallengerState.KEPT):
        promote(challenger=challenger, by=None)
    finish_round(clean)
    champions = [member.version for member in pool_of(run)]
    harmful = train_now(decide_most(run, gold_index, left=2))
    flip(harmful)
    harmful = finish_round(harmful)
    assert (harmful.state, {one.state for one in harmful.challengers.all()}) == (
        RoundState.DONE,
        {ChallengerState.KEPT},
    )
    assert [member.version for member in pool_of(run)] == champions
