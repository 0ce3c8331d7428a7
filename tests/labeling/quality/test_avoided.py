"""Errors that a language model's labels avoided, by an audit, and what one of them cost."""

import pytest
from django.urls import reverse

from labeling.labels.models import Consensus, Label
from labeling.llm.models import Budget
from labeling.quality.avoided import Avoided, avoided_of
from labeling.quality.models import AuditRow, Third
from labeling.runs.models import AnswerUse, Run
from tests.labeling.asked import make_connection, make_member, make_spent, make_verified
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.quality.made_assessments import make_assessment, make_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(client):
    """A run whose model labeled 200 rows, 80 of which were drawn; a person answered each of them."""
    user = make_user()
    client.force_login(user)
    found = make_run(make_dataset(make_project(user), [f"text {n}" for n in range(400)]))
    make_member(found)
    make_audit(found.dataset, drawn=80)
    Run.objects.filter(pk=found.pk).update(answer_use=AnswerUse.REPLACE)
    make_spent_on(found)
    return found


def make_spent_on(run):
    connection = make_connection(run.project)
    make_verified(run, connection, asking=0, verified=200)
    make_spent(run, connection, stored=200, cost=1_000_000)
    assert Budget.objects.get(run=run.pk).spent_nano == 200_000_000


def answer(run, *, pool_right, right):
    """Of the drawn rows in the order of their ids, so many are right by the specialists, and by the model."""
    classes = list(run.project.classes.values_list("id", flat=True))
    drawn = AuditRow.objects.filter(dataset=run.dataset_id).order_by("sample_id").values_list("sample_id", flat=True)
    for place, sample_id in enumerate(drawn):
        pools = Consensus.objects.get(run=run, sample=sample_id).label_class_id
        other = next(one for one in classes if one != pools)
        truth = pools if place < pool_right else other
        wrong = next(one for one in classes if one != truth)
        given = {"sample_id": sample_id, "created_at": run.created_at}
        models = truth if place < right else wrong
        Label.objects.create(source="verifier", run=run, is_current=False, label_class_id=models, **given)
        Label.objects.create(source="human", label_class_id=truth, **given)


def page_of(client, run):
    page = client.get(reverse("runs:detail", args=[run.project.slug, run.number]))
    return " ".join(page.content.decode().split())


def test_nothing_is_said_before_an_audit_has_measured(client, run):
    answer(run, pool_right=20, right=60)
    assert avoided_of(run) is None
    assert "A label cost $0.0010." in page_of(client, run)
    assert "known once an audit has measured fifty rows" in page_of(client, run)


def test_what_was_avoided_counts_for_all_that_the_model_labeled(client, run):
    answer(run, pool_right=20, right=60)
    make_assessment(run)
    run.refresh_from_db()
    found = avoided_of(run)
    assert found == Avoided(labeled=200, rows=80, pool_right=20, right=60)
    assert (found.errors, found.price(200_000_000)) == (100, 2_000_000)
    assert "About 100 errors were avoided, at $0.0020 each, by 80 audited rows." in page_of(client, run)


def test_a_model_that_avoids_none_has_no_price(client, run):
    answer(run, pool_right=60, right=20)
    make_assessment(run)
    run.refresh_from_db()
    found = avoided_of(run)
    assert (found.errors, found.price(200_000_000)) == (-100, None)
    assert "By 80 audited rows no error was avoided" in page_of(client, run)


def test_few_rows_measure_nothing():
    assert not Avoided(labeled=200, rows=49, pool_right=0, right=49).is_measured
    assert Avoided(labeled=200, rows=50, pool_right=0, right=49).is_measured
    assert Avoided(labeled=0, rows=0, pool_right=0, right=0).errors == 0


def test_rows_that_the_fusion_was_fitted_on_do_not_count(run):
    answer(run, pool_right=20, right=60)
    make_assessment(run)
    Label.objects.filter(source="verifier").update(source="fused")
    Run.objects.filter(pk=run.pk).update(answer_use=AnswerUse.FUSE)
    run.refresh_from_db()
    certifying = AuditRow.objects.filter(dataset=run.dataset_id, third=Third.CERTIFY).count()
    assert avoided_of(run).rows == certifying < 80
