"""A run is measured by its audit: votes that are missing are cast, figures and certificates are stored, and no loop."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator_core.types import LabelSource
from labeling.jobs.models import Job, JobState
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.verdicts import undo
from labeling.labels.models import Consensus, ItemReason, Label, ReviewItem, Vote
from labeling.pipeline.work import do_one
from labeling.quality.actions import ask_assessment, draw_audit
from labeling.quality.figures import from_json
from labeling.quality.models import Assessment, AuditRow, Third
from labeling.quality.queries import looks_at
from labeling.refinement.models import Challenger, RefinementRound, RoundSample, SampleRole
from labeling.runs.actions import cancel_run, pause_run
from labeling.runs.models import Run, RunState
from labeling.runs.queries import current_generation
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import answer, do_while, finish, next_generation, open_items, start, until_chunk
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, append_rows, audit_items, framed, make_framed
from tests.labeling.refinement.learning import answer_to

pytestmark = pytest.mark.django_db
QUEUES = ("io", "consensus")


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=[0.1, 0.2, 0.5])


@pytest.fixture
def dataset(project):
    """190 texts, 160 of them in the audit frame; 20 stand twice."""
    return make_framed(project, texts=210, copies=20, frame=160)


def truth(item):
    """The class that a fake without noise gives."""
    return sorted(item.project.classes.values_list("id", flat=True))[answer_to(item.sample.text)]


def newest(run):
    """The newest assessment with its figures."""
    found = Assessment.objects.filter(run=run).first()
    return found, found and from_json(found.figures)


def codes(figures):
    return {notice.code: notice.values for notice in figures.notices}


def audited_run(dataset, versions, user, count=160, answers=None, **policy):
    """A run whose audit is answered and whose work is done."""
    run = finish(start(dataset.project, dataset, versions, renews_accepted=False, **policy))
    draw_audit(dataset=dataset, count=count, by=user)
    answer_items(audit_items(dataset)[:answers], user, truth)
    work_off(QUEUES)
    return run


def test_an_answered_audit_is_measured_by_itself(dataset, user, project, tmp_path):
    run = audited_run(dataset, make_pool(project, tmp_path, noise=[0.0, 0.2, 0.5]), user)
    found, figures = newest(run)
    assert (found.number, found.answered, figures.drawn, figures.frame_texts) == (1, 160, 160, 160)
    assert figures.fit_rows + figures.certify_rows == 160
    assert [row.is_winner for row in figures.race] == [True, *[False] * 6]
    assert (found.winner, found.aggregation["name"]) == (figures.race[0].name, figures.race[0].name)
    assert [one.target_error for one in found.certificates.all()] == [1, 2, 3, 5, 10]
    assert {one.rows_used for one in found.certificates.all()} == {figures.certify_rows}
    assert found.certificates.get(target_error=10).is_reached
    assert_counters_equal_recount(run)


def test_the_share_of_right_labels_is_that_of_the_rows_nobody_saw(dataset, versions, user):
    run = audited_run(dataset, versions, user)
    _found, figures = newest(run)
    rows = Consensus.objects.filter(run=run, route="accept", sample__text_hash__in=framed(dataset))
    texts = {row.sample.text: (row.label_class_id, row.sample_id) for row in rows.select_related("sample")}
    class_ids = sorted(dataset.project.classes.values_list("id", flat=True))
    copies = dict(ReviewItem.objects.values_list("sample__text", "copies"))
    right = sum(copies[text] for text, (found, _id) in texts.items() if class_ids[answer_to(text)] == found)
    told = sum(copies[text] for text in texts)  # rows whose label is the audit's answer now
    assert figures.accepted.rows == len(texts)
    assert figures.accepted.value == pytest.approx(right / told)
    run.refresh_from_db()
    overall = 1 - (run.accepted - told) * (1 - figures.accepted.value) / (run.accepted + run.decided)
    assert (figures.reviewed.value, figures.overall.value) == (None, pytest.approx(overall))
    assert codes(figures)["copies"]["count"] > 0


def test_labels_of_the_winner_are_measured_on_texts_that_it_was_not_fitted_to(dataset, versions, user):
    run = audited_run(dataset, versions, user, aggregator="race")
    accepted = set(
        Consensus.objects.filter(run=run, is_current=True, route="accept").values_list("sample__text_hash", flat=True)
    )
    before, after = (from_json(Assessment.objects.get(run=run, number=one).figures).accepted for one in (1, 2))
    certifying = set(AuditRow.objects.filter(third=Third.CERTIFY).values_list("text_hash", flat=True))
    assert current_generation(run).aggregation is not None
    assert (before.rows > after.rows, after.rows) == (True, len(accepted & certifying))


@pytest.mark.parametrize(
    ("mode", "use", "is_left_out"), [("llm", "fuse", True), ("llm", "replace", False), ("human", "fuse", False)]
)
def test_labels_with_a_fused_answer_are_measured_on_the_other_third(dataset, versions, user, mode, use, is_left_out):
    run = audited_run(dataset, versions, user)
    Run.objects.filter(pk=run.pk).update(mode=mode, answer_use=use)
    ask_assessment(run=run)
    work_off(QUEUES)
    before, after = (from_json(Assessment.objects.get(run=run, number=one).figures).accepted for one in (1, 2))
    assert (after.rows < before.rows) == is_left_out


def test_votes_that_are_missing_are_cast_and_stored_for_drawn_texts_alone(dataset, versions, user, project, tmp_path):
    run = audited_run(dataset, versions, user)
    others = make_pool(project, tmp_path, name="other", noise=0.05)
    before = Vote.objects.count()
    next_generation(run, others)
    ask_assessment(run=run)
    while do_one(("consensus",), "test"):
        pass
    found, figures = newest(run)
    hard = ReviewItem.objects.filter(run=run, state="open").count()
    assert found.generation == 1
    assert {one.version_id for one in figures.confusions} == {version.pk for version in others}
    assert 3 * 160 <= Vote.objects.count() - before <= 3 * (160 + hard + 40)
    work_off(QUEUES)
    assert_counters_equal_recount(run)


def test_a_promotion_is_followed_by_a_measurement(dataset, versions, user, project, tmp_path):
    run = audited_run(dataset, versions, user)
    next_generation(run, make_pool(project, tmp_path, name="other", noise=0.05))
    work_off(QUEUES)
    found, _figures = newest(run)
    assert (found.number, found.generation) == (2, 1)
    rows = found.certificates.first().rows_used
    assert {look[:3] for look in looks_at(dataset.pk)} == {(run.pk, 0, rows), (run.pk, 1, rows)}


def test_nothing_is_measured_again_by_itself(dataset, versions, user):
    run = audited_run(dataset, versions, user, aggregator="race")
    run.refresh_from_db()
    count = Assessment.objects.count()
    assert (run.generation, count, newest(run)[0].generation) == (1, 2, 1)
    first, second = (list(one.certificates.values_list("error_bound", flat=True)) for one in run.assessments.all())
    # Another way to combine the same votes is no other look, so nothing is paid for it.
    assert (first, len(looks_at(dataset.pk))) == (second, 1)
    Job.objects.update(is_dirty=True)
    work_off(QUEUES)
    assert Assessment.objects.count() == count
    assert set(Job.objects.filter(kind="assess").values_list("state", "subject")) == {(JobState.DONE, run.pk)}


def test_without_an_answer_nothing_is_stored(dataset, versions, user):
    run = finish(start(dataset.project, dataset, versions))
    draw_audit(dataset=dataset, count=100, by=user)
    work_off(QUEUES)
    assert not Assessment.objects.exists()
    with pytest.raises(ActionError, match="No drawn text"):
        ask_assessment(run=run)


def test_few_answers_wait_for_the_button(dataset, versions, user):
    run = audited_run(dataset, versions, user, answers=24)
    assert not Assessment.objects.exists()
    ask_assessment(run=run)
    with pytest.raises(ActionError, match="being measured"):
        ask_assessment(run=run)
    work_off(QUEUES)
    found, figures = newest(run)
    assert (found.aggregation, figures.race, figures.why_winner) == (None, (), "too_few_rows")
    assert (found.winner, found.certificates.count()) == ("", 0)
    assert codes(figures)["unfinished"] == {"count": 136}


def test_only_a_draw_that_is_answered_whole_certifies(dataset, versions, user):
    run = audited_run(dataset, versions, user, count=60)
    draw_audit(dataset=dataset, count=100, by=user)
    answer_items(audit_items(dataset)[:80], user, truth)
    work_off(QUEUES)
    found, figures = newest(run)
    first = Assessment.objects.get(run=run, answered=60)
    used = {one.rows_used for one in found.certificates.all()}
    assert used == {one.rows_used for one in first.certificates.all()}
    assert (figures.certify_rows > min(used), figures.fit_rows) == (True, 60 - min(used))


def test_undo_takes_the_answer_out_of_the_next_measurement(dataset, versions, user):
    run = audited_run(dataset, versions, user, count=60)
    undo(project=dataset.project, user_id=user.pk, client_id=uuid4())
    work_off(QUEUES)
    assert newest(run)[0].answered == 60
    ask_assessment(run=run)
    work_off(QUEUES)
    assert newest(run)[0].answered == 59


def test_another_answer_instead_of_one_is_measured(dataset, versions, user):
    run = audited_run(dataset, versions, user, count=60)
    item = audit_items(dataset, "decided")[0]
    wrong = dataset.project.classes.exclude(pk=truth(item)).first()
    answer_items([item], user, wrong.name)
    work_off(QUEUES)
    assert [one.number for one in Assessment.objects.filter(run=run, answered=60)] == [2, 1]
    # As many answers, and not the same: another look, which is paid for.
    assert len(looks_at(dataset.pk)) == 2
    answer_items([item], user, lambda one: truth(one))
    work_off(QUEUES)
    assert (Assessment.objects.filter(run=run, answered=60).count(), len(looks_at(dataset.pk))) == (3, 2)


def test_verified_imports_are_answers(dataset, versions, user):
    known = dataset.samples.filter(text_hash__in=sorted(framed(dataset))[:90])
    class_ids = sorted(dataset.project.classes.values_list("id", flat=True))
    rows = [LabelRow(one.pk, class_ids[answer_to(one.text)]) for one in known]
    set_labels(rows=rows, source=LabelSource.IMPORTED)
    run = finish(start(dataset.project, dataset, versions))
    draw_audit(dataset=dataset, count=160, by=user)
    work_off(QUEUES)
    assert newest(run)[0].answered == 90


def test_a_persons_answer_on_a_verified_text_measures_the_reviewed_labels(dataset, versions, user):
    run = finish(start(dataset.project, dataset, versions, renews_accepted=False))
    hard = [item for item in open_items(run) if item.text_hash in framed(dataset)]
    answer_items(hard, user, truth)
    other = dataset.project.classes.last().pk
    for item in hard[:5]:
        same = Label.objects.get(sample=item.sample_id, is_current=True)
        same.pk, same.source, same.verdict, same.is_current = None, LabelSource.IMPORTED, None, False
        same.label_class_id = other if item == hard[0] and truth(item) != other else same.label_class_id
        same.save()
    draw_audit(dataset=dataset, count=160, by=user)
    ask_assessment(run=run)
    work_off(QUEUES)
    assert newest(run)[1].reviewed.rows == 5


def test_pruned_weights_leave_a_notice_and_no_certificate(dataset, versions, user, project, tmp_path):
    run = audited_run(dataset, versions, user)
    others = make_pool(project, tmp_path, name="other", noise=0.05)
    next_generation(run, [*versions[:2], others[0]])
    SpecialistVersion.objects.filter(pk=others[0].pk).update(pruned_at=timezone.now())
    for sample in dataset.samples.filter(text_hash__in=sorted(framed(dataset))[:70]):
        vote = Vote.objects.filter(sample=sample, version=versions[0]).first()
        if vote:
            vote.pk, vote.version = None, others[0]
            vote.save()
    ask_assessment(run=run)
    while do_one(("consensus",), "test"):
        pass
    found, figures = newest(run)
    assert codes(figures)["missing_votes"] == {"names": ["other-0"], "count": 90}
    assert (found.certificates.count(), figures.fit_rows + figures.certify_rows, found.answered) == (0, 70, 160)


def test_a_text_that_taught_the_pool_is_left_out(dataset, versions, user):
    run = audited_run(dataset, versions, user)
    round_ = RefinementRound.objects.create(
        project=run.project,
        run=run,
        dataset=dataset,
        number=1,
        trigger="beta",
        seed=1,
        epochs=1,
        learning_rate=1,
        batch_size=1,
    )
    Challenger.objects.create(round=round_, position=0, specialist=versions[0].specialist, version=versions[0], seed=1)
    taught = dataset.samples.filter(text_hash__in=sorted(framed(dataset))[:3])
    for sample in taught:
        class_id = dataset.project.classes.first().pk
        RoundSample.objects.create(round=round_, sample=sample, label_class_id=class_id, role=SampleRole.POOL)
    ask_assessment(run=run)
    work_off(QUEUES)
    found, figures = newest(run)
    assert codes(figures)["learned_texts"] == {"count": 3}
    assert (found.certificates.count(), figures.fit_rows + figures.certify_rows) == (0, 157)


def test_appended_rows_belong_to_the_next_run(dataset, versions, user):
    run = audited_run(dataset, versions, user, count=100)
    append_rows(dataset, [f"appended {number}" for number in range(100)])
    ask_assessment(run=run)
    work_off(QUEUES)
    assert "appended" not in codes(newest(run)[1])
    assert newest(run)[0].certificates.count() == 5
    run.refresh_from_db()
    cancel_run(run=run)
    later = finish(start(dataset.project, dataset, versions, renews_accepted=False))
    ask_assessment(run=later)
    work_off(QUEUES)
    missing = codes(newest(later)[1])["appended"]["count"]
    assert (missing > 0, newest(later)[0].certificates.count()) == (True, 0)
    draw_audit(dataset=dataset, count=missing, by=user)
    items = audit_items(dataset)
    for some, certified in (([], 0), (items[:-1], 0), (items[-1:], 5)):
        answer_items(some, user, truth)
        ask_assessment(run=later)
        work_off(QUEUES)
        assert newest(later)[0].certificates.count() == certified


def test_a_retired_class_and_one_that_nobody_chose_are_told(dataset, versions, user):
    run = audited_run(dataset, versions, user, count=60, answers=0)
    classes = list(dataset.project.classes.order_by("id"))
    answer_items(audit_items(dataset), user, lambda item: classes[answer_to(item.sample.text) % 2].pk)
    type(classes[0]).objects.filter(pk=classes[1].pk).update(is_retired=True)
    ask_assessment(run=run)
    work_off(QUEUES)
    found = codes(newest(run)[1])
    assert found["class_without_rows"]["names"] == [classes[2].name]
    assert found["retired_class"]["names"] == [classes[1].name]


def test_an_answer_with_a_class_that_the_pool_does_not_know_is_an_error_of_its(dataset, versions, user):
    run = finish(start(dataset.project, dataset, versions, renews_accepted=False))
    new = type(dataset.project.classes.first()).objects.create(
        project=dataset.project, name="new", key="9", slot=5, position=9
    )
    draw_audit(dataset=dataset, count=60, by=user)
    answer_items(audit_items(dataset), user, lambda _item: new.pk)
    work_off(QUEUES)
    _found, figures = newest(run)
    assert (figures.accepted.value, codes(figures)["unknown_class"]["names"]) == (0.0, ["new"])


def test_a_paused_run_is_measured_and_a_cancelled_one_is_not(dataset, versions, user, settings):
    settings.CHUNK_ROWS = 100
    run = start(dataset.project, dataset, versions)
    until_chunk(run, "vote")
    assert do_one(("consensus",), "test")
    pause_run(run=run)
    draw_audit(dataset=dataset, count=60, by=user)
    answer_items(audit_items(dataset), user, truth)
    work_off(QUEUES)
    assert newest(run)[0].answered == 60
    ask_assessment(run=run)
    do_while(lambda: cancel_run(run=run))
    work_off(QUEUES)
    assert newest(run)[0].number == 1
    with pytest.raises(ActionError, match="cancelled"):
        ask_assessment(run=run)


def test_a_finished_run_is_measured_by_an_audit_drawn_after_all(dataset, versions, user):
    run = finish(start(dataset.project, dataset, versions, renews_accepted=False))
    answer(run, user)
    assert finish(run).state == RunState.DONE
    draw_audit(dataset=dataset, count=60, by=user)
    answer_items(audit_items(dataset), user, truth)
    work_off(QUEUES)
    run.refresh_from_db()
    assert (newest(run)[0].answered, run.state) == (60, RunState.DONE)
    assert_counters_equal_recount(run)


def test_a_pool_that_changes_in_the_middle_is_measured_as_it_was(dataset, versions, user):
    run = audited_run(dataset, versions, user, count=60)
    ask_assessment(run=run)
    do_while(lambda: next_generation(run, versions[:2]))
    assert newest(run)[0].generation == 0
    work_off(QUEUES)
    assert newest(run)[0].generation == 1


def test_an_ordinary_decision_costs_no_statement_for_the_audit(project, versions, user):
    run = finish(start(project, make_dataset(project, [f"text number {i}" for i in range(60)]), versions))
    first, second = open_items(run)[:2]
    ReviewItem.objects.filter(pk=second.pk).update(reason=ItemReason.AUDIT)
    counts = []
    for item in (first, second):
        with CaptureQueriesContext(connection) as statements:
            answer_items([item], user, lambda _item: project.classes.first().pk)
        counts.append([one["sql"] for one in statements])
    assert not any("audit" in sql or "jobs_job" in sql for sql in counts[0] if "assess" in sql)
    assert len(counts[1]) - len(counts[0]) <= 2
