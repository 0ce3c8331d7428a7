"""Language models review hard rows: what is asked, what follows, and what stops it."""

import pytest

from annotator_core.fakes.openai_script import OUTSIDE, REFUSAL, say
from annotator_core.types import Route
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem, VerifierAnswer
from labeling.llm.models import Budget, CallState, LlmCall
from labeling.runs.models import AnswerUse, RunState
from tests.labeling.asking import make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i % 36}" for i in range(40)]


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def voted(project, settings):
    settings.CHUNK_ROWS = 12
    return make_voted(project, TEXTS)


@pytest.fixture
def server(settings):
    with serving(settings) as running:
        yield running


def finish(run):
    work_off()
    assert_counters_equal_recount(run)
    return run


def hard_texts(run):
    rows = Consensus.objects.filter(run=run, is_current=True, route__in=(Route.VERIFY, Route.REVIEW))
    return set(rows.values_list("sample__text", flat=True))


def test_the_models_answer_is_the_label_of_a_hard_row(project, voted, server):
    connection = make_connection(project, server)
    run = finish(start(project, *voted, [connection], answer_use=AnswerUse.REPLACE))
    assert (run.state, run.asking, run.decided, run.to_review) == (RunState.DONE, 0, 0, 0)
    assert run.verified == run.hard > 5
    labels = Label.objects.filter(run=run, source="verifier", is_current=True)
    assert labels.count() == run.verified
    answers = VerifierAnswer.objects.filter(run=run)
    assert answers.count() == len(hard_texts(run)) == len(server.script.list_questions())
    assert {(one.outcome, one.call.state) for one in answers.select_related("call")} == {("answered", "stored")}
    classes = dict(answers.values_list("text_hash", "label_class"))
    assert all(classes[one.sample.text_hash] == one.label_class_id for one in labels.select_related("sample"))


def test_an_answer_fused_is_a_label_of_its_own_source(project, voted, server):
    run = finish(start(project, *voted, [make_connection(project, server)]))
    assert (run.state, run.verified) == (RunState.DONE, run.hard)
    labels = Label.objects.filter(run=run, source="fused", is_current=True)
    assert labels.count() == run.hard
    assert all(0 < one.confidence <= 1 for one in labels)


@pytest.mark.parametrize("step", [OUTSIDE, REFUSAL, say("")])
def test_a_text_without_an_answer_goes_to_people(project, voted, settings, step):
    with serving(settings, rest=step) as server:
        run = finish(start(project, *voted, [make_connection(project, server)]))
    assert (run.state, run.verified, run.asking) == (RunState.REVIEWING, 0, 0)
    assert run.to_review == run.hard
    items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN)
    assert items.count() == len(hard_texts(run))
    assert not Label.objects.filter(source__in=("verifier", "fused")).exists()
    assert set(VerifierAnswer.objects.values_list("label_class", flat=True)) == {None}


def test_the_job_is_done_with_every_answer_counted(project, voted, server):
    run = finish(start(project, *voted, [make_connection(project, server)]))
    job, budget = verify_job(run), Budget.objects.get(run=run.pk)
    assert (job.state, job.error, job.total) == ("done", "", job.progress)
    calls = LlmCall.objects.filter(run=run.pk)
    assert {call.state for call in calls} == {CallState.STORED}
    assert (budget.reserved_nano, budget.spent_nano) == (0, sum(call.cost_nano for call in calls))
    assert {call.sample for call in calls} == set(VerifierAnswer.objects.values_list("sample_id", flat=True))
