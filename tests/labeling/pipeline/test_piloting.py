"""A pilot asks language models about some rows: what it draws, stores, costs, measures, and what ends it."""

import pytest

from annotator_core.fakes.openai_script import REFUSAL, Step, fail
from annotator_core.fakes.specialist import FakeSettings, find_answer
from labeling.jobs.models import Chunk
from labeling.jobs.queries import job_of
from labeling.labels.models import Consensus, ItemReason, Label, ReviewItem, VerifierAnswer
from labeling.llm.models import Budget, CallState, LlmCall
from labeling.runs.actions import cancel_run
from labeling.runs.models import LlmPilot, PilotAnswer, PilotRow
from labeling.runs.pilots.actions import retry_pilot, stop_pilot
from labeling.runs.pilots.figures import ALWAYS, from_json, to_json
from labeling.web.errors import ActionError
from tests.labeling.asking import make_connection, make_voted, serving, start
from tests.labeling.factories import CLASSES, make_dataset, make_project, make_user
from tests.labeling.piloted import give_gold, pilot, reviewed_by_people
from tests.labeling.pool import work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i % 110}" for i in range(120)]


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def voted(project):
    return make_voted(project, TEXTS)


@pytest.fixture
def server(settings):
    with serving(settings) as running:
        yield running


def right_of(text):
    return CLASSES[find_answer(text, FakeSettings(CLASSES))]


def done(found):
    work_off()
    found.refresh_from_db()
    return found, job_of("pilot", found.pk)


def test_a_pilot_asks_about_hard_rows_and_measures(project, voted, server):
    dataset, versions = voted
    give_gold(dataset, right_of)
    run = reviewed_by_people(project, dataset, versions)
    found, job = done(pilot(project, dataset, [make_connection(project, server)], run=run, rows=20))
    figures = from_json(found.figures)
    assert (job.state, job.progress, job.total, found.note) == ("done", 20, 20, "")
    assert (figures.rows, figures.abstained, figures.right.hits, figures.right.rows) == (20, 0, 20, 20)
    assert figures.pool.rows == 20 > figures.pool.hits
    hard = Consensus.objects.filter(run=run, is_current=True, route="review").values_list("sample_id", flat=True)
    assert set(found.rows.values_list("sample_id", flat=True)) <= set(hard)
    (measured,) = figures.measured
    calls = LlmCall.objects.filter(purpose="pilot")
    assert measured.calls == calls.count() == len(server.script.list_questions()) == 20
    assert figures.cost_nano == sum(call.cost_nano for call in calls) == Budget.objects.get(run=0).spent_nano
    assert measured.tokens_in == sum(call.tokens_in for call in calls) / 20
    assert not Label.objects.filter(source__in=("verifier", "fused")).exists()


def test_a_run_never_asks_again_what_a_pilot_asked(project, voted, server):
    dataset, versions = voted
    voting = reviewed_by_people(project, dataset, versions)
    connection = make_connection(project, server)
    found, _job = done(pilot(project, dataset, [connection], run=voting, rows=20))
    asked = set(found.rows.values_list("sample__text", flat=True))
    before = len(server.script.list_questions())
    cancel_run(run=voting)
    work_off()
    run = start(project, dataset, versions, [connection])
    work_off()
    answers = VerifierAnswer.objects.filter(run=run)
    assert len(asked & set(answers.values_list("sample__text", flat=True))) == 20
    assert len(server.script.list_questions()) - before == answers.count() - 20
    assert LlmCall.objects.filter(run=run.pk).count() == answers.count() - 20
    assert all(answers.values_list("call", flat=True))


def test_a_second_pilot_in_the_same_words_costs_nothing_and_measures_the_same(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    connection = make_connection(project, server)
    first, _job = done(pilot(project, dataset, [connection], run=run, rows=200))
    spent = Budget.objects.get(run=0).spent_nano
    second, _job = done(pilot(project, dataset, [connection], run=run, rows=200))
    assert first.figures["rows"] == second.figures["rows"] > 20
    assert first.figures["measured"] == second.figures["measured"]
    assert (spent, first.wanted) == (Budget.objects.get(run=0).spent_nano, second.wanted)


def test_without_votes_random_rows_are_asked_about_and_no_pool_is_measured(project, server):
    dataset = make_dataset(project, TEXTS)
    found, job = done(pilot(project, dataset, [make_connection(project, server)], rows=15))
    figures = from_json(found.figures)
    assert (job.state, figures.rows, figures.fused_sureness) == ("done", 15, ())
    assert (figures.right.rows, figures.pool.rows, figures.agreed.rows) == (0, 0, 0)
    assert found.rows.filter(pool_class=None, known_class=None).count() == 15
    assert len(set(found.rows.values_list("sample__text", flat=True))) == 15


def test_a_pilot_never_asks_about_the_audit_frame(project, server):
    dataset = make_dataset(project, TEXTS)
    hashes = sorted(dataset.samples.values_list("text_hash", flat=True).distinct())
    dataset.frame_until = hashes[79]
    dataset.save(update_fields=["frame_until"])
    found, _job = done(pilot(project, dataset, [make_connection(project, server)], rows=100))
    assert set(found.rows.values_list("sample__text_hash", flat=True)) == set(hashes[80:])


def test_what_people_decided_is_drawn_first_but_not_after_a_model_had_chosen_for_them(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    hard = list(Consensus.objects.filter(run=run, is_current=True, route="review").order_by("sample_id"))
    classes = {one.name: one for one in project.classes.all()}
    seen = {}
    for row in hard:
        seen.setdefault(row.sample.text_hash, row)
    for row in list(seen.values())[:6]:
        label_class = classes[right_of(row.sample.text)]
        given = {"source": "human", "run": run, "created_at": run.created_at}
        Label.objects.create(sample=row.sample, label_class=label_class, **given)
    connection = make_connection(project, server)
    found, _job = done(pilot(project, dataset, [connection], run=run, rows=10))
    assert found.rows.exclude(known_class=None).count() == 6
    assert from_json(found.figures).right.rows == 6
    type(run).objects.filter(pk=run.pk).update(mode="llm_then_human")
    again, _job = done(pilot(project, dataset, [connection], run=run, rows=10))
    assert not again.rows.exclude(known_class=None).exists()


def test_accepted_rows_that_were_drawn_at_random_are_no_hard_ones(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    item = ReviewItem.objects.filter(run=run).first()
    ReviewItem.objects.filter(pk=item.pk).update(reason=ItemReason.RANDOM)
    found, _job = done(pilot(project, dataset, [make_connection(project, server)], run=run, rows=200))
    assert found.rows.count() == ReviewItem.objects.filter(run=run).count() - 1
    assert not found.rows.filter(sample__text_hash=item.text_hash).exists()


def test_several_models_answer_by_majority_and_each_is_measured(project, voted, server, settings):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    with serving(settings) as second:
        both = [make_connection(project, one, f"m{n}") for n, one in enumerate((server, second))]
        found, job = done(pilot(project, dataset, both, run=run, rows=12))
    figures = from_json(found.figures)
    assert (job.state, figures.rows, [one.calls for one in figures.measured]) == ("done", 12, [12, 12])
    assert PilotAnswer.objects.count() == 24


def test_a_refusal_goes_to_people_whatever_confidence_is_asked_for(project, voted, settings):
    with serving(settings, rest=REFUSAL) as server:
        run = reviewed_by_people(project, *voted)
        found, _job = done(pilot(project, voted[0], [make_connection(project, server)], run=run, rows=8))
    figures = from_json(found.figures)
    assert (figures.abstained, set(figures.sureness), figures.measured[0].calls) == (8, {ALWAYS}, 8)
    assert figures.count_unsure(0.0, is_fused=False).hits == 8


def test_a_cap_ends_a_pilot_within_it_and_says_so(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    connection = make_connection(project, server, concurrency=1)
    cap = 3_000_000
    found, job = done(pilot(project, dataset, [connection], run=run, rows=50, cap_nano=cap))
    spent = Budget.objects.get(run=0)
    assert (job.state, spent.reserved_nano) == ("done", 0)
    assert 0 < spent.spent_nano <= cap
    assert "cap was reached" in found.note
    assert 0 < from_json(found.figures).rows < 50


def test_a_broken_connection_fails_a_pilot_until_it_is_mended(project, voted, settings):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    with serving(settings, rest=fail(401)) as server:
        connection = make_connection(project, server)
        found, job = done(pilot(project, dataset, [connection], run=run, rows=8))
        assert (job.state, found.figures) == ("failed", None)
        assert "cannot be asked" in job.error
        server.script.rest = Step()
        retry_pilot(pilot=found)
        found, job = done(found)
    assert (job.state, from_json(found.figures).rows) == ("done", 8)


def test_a_stopped_pilot_measures_what_it_has_and_asks_no_more(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    found = pilot(project, dataset, [make_connection(project, server)], run=run, rows=8)
    stop_pilot(pilot=found)
    found, job = done(found)
    assert (job.state, found.figures, server.script.list_questions()) == ("cancelled", None, [])
    with pytest.raises(ActionError):
        stop_pilot(pilot=found)


def test_a_part_that_is_done_twice_asks_and_stores_once(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    found, job = done(pilot(project, dataset, [make_connection(project, server)], run=run, rows=8))
    Chunk.objects.filter(job=job).update(state="todo")
    type(job).objects.filter(pk=job.pk).update(state="running")
    found, job = done(found)
    assert (job.state, len(server.script.list_questions())) == ("done", 8)
    assert (PilotRow.objects.count(), PilotAnswer.objects.count()) == (8, 8)
    assert LlmCall.objects.filter(state=CallState.STORED).count() == 8


def test_examples_are_asked_for_before_anything_is_sent(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    connection = make_connection(project, server)
    _found, job = done(pilot(project, dataset, [connection], run=run, rows=8, strategy="few-shot"))
    assert (job.state, "shows examples" in job.error, server.script.list_questions()) == ("failed", True, [])


def test_votes_are_shown_where_there_are_some(project, voted, server):
    dataset, versions = voted
    connection = make_connection(project, server)
    with pytest.raises(ActionError, match="no votes"):
        pilot(project, dataset, [connection], shows_votes=True)
    run = reviewed_by_people(project, dataset, versions)
    _found, job = done(pilot(project, dataset, [connection], run=run, rows=3, shows_votes=True))
    assert job.state == "done"
    assert all(versions[0].specialist.name in str(one.messages) for one in LlmCall.objects.all())


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"rows": 0}, "rows"), ({"rows": 501}, "rows"), ({"draws": 0}, "draws"), ({"cap_nano": -1}, "cap")],
)
def test_what_cannot_be_asked_is_refused(project, server, changed, field):
    dataset, connection = make_dataset(project, ["a"]), make_connection(project, server)
    with pytest.raises(ActionError) as refused:
        pilot(project, dataset, [connection], **changed)
    assert (refused.value.field, LlmPilot.objects.count()) == (field, 0)


def test_one_pilot_at_a_time_and_no_strangers_connection(project, server):
    dataset = make_dataset(project, ["a"])
    stranger = make_connection(make_project(make_user("other")), server)
    for connections in ([], [stranger]):
        with pytest.raises(ActionError) as refused:
            pilot(project, dataset, connections)
        assert refused.value.field == "verifiers"
    pilot(project, dataset, [make_connection(project, server)])
    with pytest.raises(ActionError, match="at work already"):
        pilot(project, dataset, [make_connection(project, server, "second")])


def test_figures_are_read_as_they_were_stored(project, voted, server):
    dataset, versions = voted
    run = reviewed_by_people(project, dataset, versions)
    found, _job = done(pilot(project, dataset, [make_connection(project, server)], run=run, rows=8))
    read = from_json(found.figures)
    assert (read.rows, len(read.sureness), len(read.fused_sureness)) == (8, 8, 8)
    assert from_json(to_json(read)) == read
