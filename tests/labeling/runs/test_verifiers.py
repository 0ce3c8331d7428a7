"""Starting a run with language models: what must be chosen, and what cannot be."""

from dataclasses import replace

import pytest

from labeling.jobs.queries import job_of
from labeling.llm.models import Budget
from labeling.runs.actions import raise_cap
from labeling.runs.models import AnswerUse, Mode
from labeling.runs.policies import Policy, check_policy, default_policy, paper_policy
from labeling.web.errors import ActionError
from tests.labeling.asking import DOLLAR, start
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.llm.calling import make_connection
from tests.labeling.refinement.made_rounds import make_versions

pytestmark = pytest.mark.django_db
THEN_HUMAN = {"mode": Mode.LLM_THEN_HUMAN, "answer_use": AnswerUse.REPLACE}


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def made(project):
    return project, make_dataset(project, ["a", "b"]), make_versions(project)


def test_a_start_freezes_models_budget_and_policy(made):
    models = [make_connection(made[0], "one"), make_connection(made[0], "two")]
    run = start(*made, models, cap_nano=3 * DOLLAR, shows_votes=True, draws=3, sure_from=0.9)
    assert [one.connection for one in run.verifiers.all()] == models
    assert (run.mode, run.shows_votes, run.draws, run.sure_from) == (Mode.LLM, True, 3, 0.9)
    assert Budget.objects.get(run=run.pk).cap_nano == 3 * DOLLAR
    assert job_of("verify", run.pk).state == "running"


def test_people_review_without_models_and_budget(made):
    run = start(*made, [], cap_nano=0, mode=Mode.HUMAN)
    assert (job_of("verify", run.pk), Budget.objects.count(), run.has_verifier) == (None, 0, False)
    with pytest.raises(ActionError):
        raise_cap(run=run, cap_nano=DOLLAR)


@pytest.mark.parametrize(
    ("names", "cap_nano", "policy", "field"),
    [
        ([], DOLLAR, {}, "verifiers"),
        (["one"], 0, {}, "cap"),
        (["one"], DOLLAR, {"mode": Mode.HUMAN}, "mode"),
        ([], DOLLAR, {"mode": Mode.HUMAN}, "mode"),
        (["one", "one"], DOLLAR, {}, "verifiers"),
        (["one"], DOLLAR, THEN_HUMAN, "sure_from"),
    ],
)
def test_what_does_not_fit_together_starts_nothing(made, names, cap_nano, policy, field):
    one = make_connection(made[0], "one")
    with pytest.raises(ActionError) as told:
        start(*made, [one for _name in names], cap_nano=cap_nano, **policy)
    assert told.value.field == field


@pytest.mark.parametrize("change", [{"draws": 3}, {"sure_from": 0.0}, {"answer_use": AnswerUse.FUSE}])
def test_a_threshold_needs_a_confidence(made, change):
    assert start(*made, [make_connection(made[0])], **THEN_HUMAN | change).pk


@pytest.mark.parametrize("fields", [{"is_retired": True}, {"project": None}])
def test_a_model_of_another_project_or_retired_is_refused(made, fields):
    other = make_project(make_user()) if "project" in fields else made[0]
    one = make_connection(other, is_retired=fields.get("is_retired", False))
    with pytest.raises(ActionError) as told:
        start(*made, [one])
    assert told.value.field == "verifiers"


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (Policy(3, draws=0), "draws"),
        (Policy(3, draws=21), "draws"),
        (Policy(3, sure_from=1.5), "sure_from"),
        (Policy(3, sure_from=float("nan")), "sure_from"),
        (replace(default_policy(3), mode=Mode.LLM), "random_share"),
        (paper_policy(3, mode=Mode.LLM_THEN_HUMAN), "mode"),
        (replace(paper_policy(3, mode=Mode.LLM), answer_use=AnswerUse.FUSE), "mode"),
    ],
)
def test_policies_that_cannot_be(policy, field):
    with pytest.raises(ActionError) as told:
        check_policy(policy, 3)
    assert told.value.field == field


@pytest.mark.parametrize("mode", Mode)
def test_the_named_policies_can_be_had_with_a_model(mode):
    check_policy(default_policy(3, mode=mode), 3)
    if mode != Mode.LLM_THEN_HUMAN:
        check_policy(paper_policy(3, mode=mode), 3)


def test_counters_of_a_run_say_who_has_what_left(project):
    run = make_run(make_dataset(project, ["a", "b", "c", "d"]))
    run.asking, run.verified, run.decided, run.learned = 1, 1, 1, 1
    assert (run.to_review, run.reviewed, run.unreviewed, run.pool_size) == (1, 2, 2, 1)
