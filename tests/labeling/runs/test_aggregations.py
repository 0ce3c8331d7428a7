"""Taking the race's winner by hand."""

import pytest

from labeling.runs.actions import use_aggregation
from labeling.runs.models import Run, RunState
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import answer, finish, single, start
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(40)]


@pytest.fixture
def versions(tmp_path):
    return make_pool(make_project(make_user()), tmp_path, noise=0.3)


@pytest.fixture
def run(versions):
    project = versions[0].specialist.project
    return finish(start(project, make_dataset(project, TEXTS), versions))


def test_the_same_versions_go_on_with_the_winner(run, versions):
    generation = use_aggregation(run=run, aggregation=single(2), cut_score=0.5)
    members = generation.members.values_list("version_id", flat=True)
    assert (generation.origin, generation.aggregation, generation.cut_score) == ("audit", single(2), 0.5)
    assert list(members) == [version.pk for version in versions]
    assert finish(run).renewed == 1


def test_what_is_in_use_already_is_refused(run):
    use_aggregation(run=run, aggregation=single(2))
    with pytest.raises(ActionError, match="already"):
        use_aggregation(run=run, aggregation=single(2))


def test_the_papers_policy_stays_the_papers(run):
    Run.objects.filter(pk=run.pk).update(policy="paper")
    with pytest.raises(ActionError, match="as it was published"):
        use_aggregation(run=run, aggregation=single(2))


def test_a_run_that_is_done_is_taken_up_unless_another_follows_it(run, versions):
    answer(run, make_user())
    assert run.state == RunState.DONE
    use_aggregation(run=run, aggregation=single(2))
    assert finish(run).state in {RunState.DONE, RunState.REVIEWING}
    assert run.renewed == 1
    answer(run, make_user())
    assert finish(run).state == RunState.DONE
    start(run.project, run.dataset, versions)
    with pytest.raises(ActionError, match="over"):
        use_aggregation(run=run, aggregation=single(1))
