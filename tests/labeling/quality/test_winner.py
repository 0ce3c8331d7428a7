"""Taking what won the race by a button."""

import pytest

from labeling.quality.actions.winner import use_winner
from labeling.quality.models import Assessment, Certificate
from labeling.runs.models import Run
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import finish, next_generation, single, start
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions(tmp_path):
    return make_pool(make_project(make_user()), tmp_path, noise=0.3)


@pytest.fixture
def run(versions):
    project = versions[0].specialist.project
    return finish(start(project, make_dataset(project, [f"text {i}" for i in range(30)]), versions))


def assess(run, aggregation):
    return Assessment.objects.create(
        run=run, number=1, generation=run.generation, answered=90, aggregation=aggregation, figures={}
    )


def test_the_newest_winner_is_taken_and_every_row_scored_anew(run):
    assess(run, single(1))
    assert use_winner(run=run).aggregation == single(1)
    assert finish(run).renewed == 1


def test_the_certificate_at_the_runs_target_cuts(run):
    Run.objects.filter(pk=run.pk).update(target_error=5)
    run.refresh_from_db()
    assessment = assess(run, single(1))
    for target, threshold in ((2, None), (5, 0.5), (10, 0.25)):
        Certificate.objects.create(assessment=assessment, target_error=target, threshold=threshold, rows_used=60)
    assert use_winner(run=run).cut_score == 0.5


def test_without_a_winner_or_for_another_pool_it_is_refused(run, versions):
    with pytest.raises(ActionError, match="no winner yet"):
        use_winner(run=run)
    assess(run, single(1))
    next_generation(run, versions)
    run.refresh_from_db()
    with pytest.raises(ActionError, match="Measure again"):
        use_winner(run=run)
