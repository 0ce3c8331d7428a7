from uuid import uuid4

import pytest

from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem
from labeling.labels.queries import PACE_GUESS_S, pace_of
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


def test_the_pace_is_a_guess_until_five_decisions_and_their_median_then():
    user = make_user()
    project = make_project(user)
    run = make_run(make_dataset(project, [f"text {number}" for number in range(8)]))
    paces = []
    for item in ReviewItem.objects.filter(run=run).order_by("pk")[:6]:
        decide(
            item_id=item.pk,
            project=project,
            user_id=user.pk,
            class_id=project.classes.first().pk,
            client_id=uuid4(),
            elapsed_ms=1500,
        )
        paces.append(pace_of(project, user.pk).seconds)
    assert paces == [PACE_GUESS_S] * 4 + [1.5] * 2
