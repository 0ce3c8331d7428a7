"""What an audit says of a language model's labels: its rows are asked about, also when a person has answered."""

import pytest
from django.urls import reverse

from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.types import Route
from labeling.labels.models import Consensus, Label, VerifierAnswer
from labeling.quality.actions import ask_assessment, draw_audit
from labeling.quality.figures import from_json
from labeling.quality.queries import newest_assessment
from labeling.runs.actions import give_to_people
from labeling.runs.models import AnswerUse
from tests.labeling.asking import make_connection, make_voted, serving, start, verify_job
from tests.labeling.counts import assert_counters_equal_recount, recount, recount_verified
from tests.labeling.factories import CLASSES, make_project, make_user
from tests.labeling.pool import work_off
from tests.labeling.quality.audits import answer_items, audit_items

pytestmark = pytest.mark.django_db


def wrong(messages):
    right = make_answerer(CLASSES, 1.0)(messages)
    return CLASSES[(CLASSES.index(right) + 1) % 3]


def audited_run(settings, answerer, **policy):
    """A run on texts of which an audit of 60 was answered before: by the class that all fakes agree on."""
    user = make_user()
    project = make_project(user)
    dataset, versions = make_voted(project, [f"text {number}" for number in range(300)], noise=0.3)
    dataset.frame_until = sorted(dataset.samples.values_list("text_hash", flat=True))[59]
    dataset.save()
    draw_audit(dataset=dataset, count=60, by=None)
    names = dict(project.classes.values_list("name", "id"))
    truth = make_answerer(CLASSES, 1.0)
    answer_items(audit_items(dataset), user, lambda item: names[truth([{"content": item.sample.text}])])
    with serving(settings, answerer=answerer) as server:
        run = start(project, dataset, versions, [make_connection(project, server)], **policy)
        work_off(("io", "consensus", "verify"))
        ask_assessment(run=run)
        work_off(("io", "consensus"))
    run.refresh_from_db()
    assert (run.voted, run.accepted, run.hard, run.decided) == recount(run)
    assert (run.asking, run.verified) == recount_verified(run) == (0, run.hard - run.decided)
    return run, from_json(newest_assessment(run).figures)


def quality_page(client, run):
    client.force_login(run.project.created_by)
    page = client.get(reverse("quality:page", kwargs={"slug": run.project.slug}))
    return " ".join(page.content.decode().split())


def test_audited_hard_rows_are_asked_about_though_a_person_answered(settings):
    run, _figures = audited_run(settings, make_answerer(CLASSES, 1.0), answer_use=AnswerUse.REPLACE)
    hard = Consensus.objects.filter(run=run, route=Route.VERIFY, sample__text_hash__lte=run.dataset.frame_until)
    asked = set(VerifierAnswer.objects.filter(run=run).values_list("text_hash", flat=True))
    assert {row.sample.text_hash for row in hard} <= asked
    labels = Label.objects.filter(sample__in=hard.values("sample"))
    assert set(labels.filter(is_current=True).values_list("source", flat=True)) == {"human"}
    assert set(labels.filter(is_current=False).values_list("source", flat=True)) == {"verifier"}


@pytest.mark.parametrize("use", AnswerUse)
def test_a_model_that_is_worse_than_the_pool_is_warned_of(client, settings, use):
    """Also where it was fused: replacing would hurt."""
    run, figures = audited_run(settings, wrong, answer_use=use)
    (notice,) = [one for one in figures.notices if one.code == "verifier_worse"]
    assert notice.values["share"] == 0.0
    assert "On hard rows the verifier is right on 0.0%" in quality_page(client, run)


def test_a_good_model_is_not(client, settings):
    run, figures = audited_run(settings, make_answerer(CLASSES, 1.0), answer_use=AnswerUse.REPLACE)
    assert not {"verifier_worse", "verifier_unproven"} & {notice.code for notice in figures.notices}
    page = quality_page(client, run)
    assert ("make labels worse" in page, "make labels better" in page) == (False, False)


@pytest.mark.parametrize("use", AnswerUse)
def test_a_model_not_shown_to_be_better_is_warned_of_where_it_replaces(client, settings, use):
    """As one more vote its answers do no harm: there is nothing to do."""
    run, figures = audited_run(settings, make_answerer(CLASSES, 0.7), answer_use=use)
    (notice,) = [one for one in figures.notices if one.code.startswith("verifier")]
    assert notice.code == "verifier_unproven"
    words = f"(hard rows audited: {notice.values['rows']}). Take its answers as one more vote in the next run"
    assert (words in quality_page(client, run)) == (use == AnswerUse.REPLACE)


def test_fusion_learns_from_the_audits_fitting_third_whom_to_trust(settings):
    """A model that is always wrong: fused with gold rows its answers do no harm, replaced they would."""
    run, _figures = audited_run(settings, wrong, answer_use=AnswerUse.FUSE)
    truth, names = make_answerer(CLASSES, 1.0), dict(run.project.classes.values_list("id", "name"))
    labels = Label.objects.filter(run=run, source="fused", is_current=True).select_related("sample")
    right = [names[one.label_class_id] == truth([{"content": one.sample.text}]) for one in labels]
    rows = Consensus.objects.filter(run=run, sample__in=labels.values("sample")).select_related("sample")
    pool = [names[row.label_class_id] == truth([{"content": row.sample.text}]) for row in rows]
    assert len(right) == len(pool) > 50
    assert sum(right) / len(right) >= sum(pool) / len(pool) - 0.02


def test_people_who_take_over_end_it_though_audited_rows_were_left(settings):
    """What measures the model only is not asked about any more, or the verification would stop again at once."""
    user = make_user()
    project = make_project(user)
    dataset, versions = make_voted(project, [f"text {number}" for number in range(300)], noise=0.3)
    dataset.frame_until = sorted(dataset.samples.values_list("text_hash", flat=True))[59]
    dataset.save()
    draw_audit(dataset=dataset, count=60, by=None)
    names = dict(project.classes.values_list("name", "id"))
    truth = make_answerer(CLASSES, 1.0)
    answer_items(audit_items(dataset), user, lambda item: names[truth([{"content": item.sample.text}])])
    with serving(settings) as server:
        run = start(project, dataset, versions, [make_connection(project, server)], cap_nano=1)
        work_off(("io", "consensus", "verify"))
        assert verify_job(run).state == "paused"
        give_to_people(run=run)
        work_off(("io", "consensus", "verify"))
    run.refresh_from_db()
    assert (verify_job(run).state, run.asking, run.to_review) == ("done", 0, run.hard - run.decided)
    assert_counters_equal_recount(run)
