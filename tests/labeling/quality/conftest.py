"""What tests of the quality page share: a manager who is signed in, a project, and a run with an audit frame."""

import pytest

from tests.labeling.factories import make_project, make_user
from tests.labeling.quality.made_assessments import frame
from tests.labeling.refinement.made_rounds import make_pooled_run, make_versions


@pytest.fixture
def manager(client):
    user = make_user()
    client.force_login(user)
    return user


@pytest.fixture
def project(manager):
    return make_project(manager)


@pytest.fixture
def run(project):
    """A run over 200 texts, of which 40 are kept apart for audits."""
    run = make_pooled_run(project, make_versions(project), texts=200)
    frame(run.dataset)
    return run
