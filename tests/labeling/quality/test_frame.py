"""Texts of an audit frame never train, never gate and never stand as an example, whatever data set holds them, too."""

from random import Random

import pytest
from django.utils import timezone

from annotator_core.types import LabelSource
from labeling.datasets.chunk_queries import random_rows
from labeling.datasets.queries import smallest_hash
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.seeds import draw_seeds
from labeling.labels.models import ReviewItem
from labeling.quality.actions import draw_audit
from labeling.refinement.cold_start.queries import gold_sets_of, unlabeled_texts, verified_texts
from labeling.refinement.models import TRAINING_ROLES, SourceTest
from labeling.refinement.row_queries import source_rows
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import add_fake, make_pool
from tests.labeling.quality.audits import framed, make_framed
from tests.labeling.refinement.learning import PAPER, TEXTS, decide_most, start, train_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture(params=["in use", "archived"])
def framed_texts(project, request):
    """The texts of a data set's audit frame; all texts of the set also stand in a newer one without a frame."""
    dataset = make_framed(project, texts=200, copies=0)
    if request.param == "archived":
        dataset.archived_at = timezone.now()
        dataset.save()
    texts = [sample.text for sample in dataset.samples.all()]
    twin = make_dataset(project, texts)
    twin.uploads.update(gold_column="gold")
    twin.samples.update(gold=project.classes.first().name)
    class_id = project.classes.first().pk
    set_labels(rows=[LabelRow(one.pk, class_id) for one in twin.samples.all()], source=LabelSource.IMPORTED)
    return set(dataset.samples.filter(text_hash__in=framed(dataset)).values_list("text", flat=True))


def newest(project):
    return project.datasets.first()


def test_a_cold_start_learns_none_of_them(project, framed_texts):
    twin = newest(project)
    hashes = set(twin.samples.filter(text__in=framed_texts).values_list("text_hash", flat=True))
    assert not hashes & {text.text_hash for text in verified_texts(project)}
    assert [
        hashes & {text.text_hash for text in one.texts} for one in gold_sets_of(project) if one.dataset == twin
    ] == [set()]
    assert not framed_texts & set(unlabeled_texts(twin, 1_000))
    assert len(unlabeled_texts(twin, 1_000)) == 200 - len(framed_texts) == 160


def test_a_trial_answers_none_of_them(project, framed_texts):
    rows = random_rows(project.pk, 100, Random(1))
    assert len(rows) == 100
    assert not framed_texts & {row.text for row in rows}


def test_a_source_test_judges_by_none_of_them(project, framed_texts, tmp_path):
    test = SourceTest.objects.create(specialist=add_fake(project, tmp_path / "fake"), dataset=newest(project))
    texts = {row.text for row in source_rows(test)}
    assert (len(texts), texts & framed_texts) == (160, set())


def test_what_an_audit_drew_trains_nobody_even_under_the_papers_policy(project, tmp_path):
    versions = make_pool(project, tmp_path, count=2, noise=0.4)
    dataset = make_dataset(project, TEXTS)
    dataset.frame_until = smallest_hash(dataset.pk, 40)
    dataset.save()
    run = start(project, dataset, versions, **PAPER)
    drawn = set(draw_audit(dataset=dataset, count=30, by=None).rows.values_list("text_hash", flat=True))
    round_ = train_now(decide_most(run))
    trained = set(round_.samples.filter(role__in=TRAINING_ROLES).values_list("sample__text_hash", flat=True))
    decided = set(ReviewItem.objects.filter(run=run, state="decided").values_list("text_hash", flat=True))
    assert (len(drawn & decided) > 5, trained) == (True, decided - drawn)


def test_seeds_stay_outside_the_frame_and_the_audit_inside(project):
    dataset = make_framed(project)
    draw_seeds(dataset=dataset, count=100)
    draw_audit(dataset=dataset, count=38, by=None)
    reasons = dict(ReviewItem.objects.values_list("text_hash", "reason"))
    assert {text_hash for text_hash, reason in reasons.items() if reason == "audit"} == framed(dataset)
    assert len(reasons) == 138
