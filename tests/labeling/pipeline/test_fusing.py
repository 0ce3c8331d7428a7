"""A fusion that no audit has measured: it learns from random texts, hard and easy, and is as right as its voters."""

import numpy as np
import pytest

from annotator_core.consensus.fusion import fit_fusion
from annotator_core.consensus.opinion import pick_classes
from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.specialist import FakeSettings, find_answer
from annotator_core.types import ABSTAIN
from labeling.datasets.chunk_queries import SampleText
from labeling.labels.answer_queries import voted_texts
from labeling.labels.models import Consensus, Label, VerifierAnswer, Vote
from labeling.pipeline import fusing
from labeling.pipeline.ballots import stored_ballots
from labeling.pipeline.fusing import fuse_answered, fuse_piloted
from labeling.runs.models import LlmPilot, Run
from labeling.runs.pilots.figures import from_json
from labeling.runs.queries import members_of
from tests.labeling.asking import make_connection, make_voted, serving, start
from tests.labeling.factories import CLASSES, make_project, make_user
from tests.labeling.piloted import give_gold, pilot, reviewed_by_people
from tests.labeling.pool import work_off
from tests.labeling.quality.audits import framed, make_framed

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i}" for i in range(300)]


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def voted(project):
    """Three specialists, each right on three of four texts."""
    return make_voted(project, TEXTS, noise=0.25)


@pytest.fixture
def server(settings):
    """A model that is right on two texts of three."""
    with serving(settings, answerer=make_answerer(CLASSES, 0.67)) as running:
        yield running


@pytest.fixture
def run(project, voted, server):
    found = start(project, *voted, [make_connection(project, server)])
    work_off()
    found.refresh_from_db()
    return found


def right_of(text):
    return CLASSES[find_answer(text, FakeSettings(CLASSES))]


def share(rows, field="sample__text", name="label_class__name"):
    return np.mean([right_of(text) == said for text, said in rows.values_list(field, name)])


def test_without_an_audit_it_is_fitted_on_all_texts_with_the_answers_that_there_are(run):
    """Here nothing is framed, so all are the random ones: hard ones have an answer, easy ones none."""
    class_ids = members_of(run, 0)[0].version.class_ids
    answers = dict(VerifierAnswer.objects.filter(run=run).values_list("text_hash", "label_class"))
    hashes = sorted(run.dataset.samples.values_list("text_hash", flat=True))
    ballots = stored_ballots(run, 0, [SampleText(0, "", one) for one in hashes])
    given = np.array([class_ids.index(answers[one]) if one in answers else ABSTAIN for one in hashes])
    unaided = fit_fusion(ballots, given, np.full(len(hashes), ABSTAIN)).predict(ballots, given)
    expected = dict(zip(hashes, pick_classes(unaided).tolist(), strict=True))
    labels = dict(Label.objects.filter(run=run, source="fused").values_list("sample__text_hash", "label_class"))
    assert run.verified == run.hard == len(answers) > 100
    assert labels == {one: class_ids[expected[one]] for one in answers}


def test_labels_of_hard_rows_are_as_right_as_the_pool_and_the_model(run):
    labels = share(Label.objects.filter(run=run, source="fused"))
    pool = share(Consensus.objects.filter(run=run, is_current=True, route="verify"))
    assert labels >= max(pool, share(VerifierAnswer.objects.filter(run=run))) - 0.02


def test_a_pilot_measures_the_fusion_that_a_run_would_make(project, voted, server, run):
    """It asks about all hard rows here, and so knows what the run knew."""
    dataset, versions = voted
    give_gold(dataset, right_of)
    labels = dict(Label.objects.filter(run=run, source="fused").values_list("sample__text", "label_class__name"))
    Run.objects.update(state="cancelled")
    people = reviewed_by_people(project, dataset, versions)
    pilot(project, dataset, [make_connection(project, server, "again")], run=people, rows=500)
    work_off()
    figures = from_json(LlmPilot.objects.get().figures)
    right = sum(right_of(text) == name for text, name in labels.items())
    assert (figures.fused.hits, figures.fused.rows) == (right, len(labels))


def test_texts_that_it_learns_from_are_random_ones_with_all_votes_beside_the_frame(project, voted):
    _dataset, versions = voted
    dataset = make_framed(project, texts=110, copies=10, frame=20)
    run = Run(dataset=dataset, row_count=100)
    first, second = (version.pk for version in versions[:2])
    for sample in dataset.samples.all():
        Vote.objects.create(sample=sample, version=versions[0])
    assert voted_texts(run, [first, second], 1_000) == []
    for sample in dataset.samples.filter(position__lt=60):
        Vote.objects.create(sample=sample, version=versions[1])
    hashes = set(dataset.samples.filter(position__lt=60).values_list("text_hash", flat=True)) - framed(dataset)
    assert voted_texts(run, [first, second], 1_000) == sorted(hashes)
    assert voted_texts(run, [first, second], 7) == sorted(hashes)[:7]


def test_they_are_no_more_than_memory_and_time_allow(run, monkeypatch):
    """With fewer of them it is another fit; with none that has an answer there is none."""
    labels = dict(Label.objects.filter(run=run, source="fused").values_list("sample__text_hash", "label_class"))
    assert {h: one.class_id for h, one in fuse_answered(run, 0).items()} == labels
    assert not any(one.is_measured for one in fuse_answered(run, 0).values())
    monkeypatch.setattr(fusing, "TEXTS_MOST", 60)
    fewer = fuse_answered(run, 0)
    assert (fewer.keys(), len(fewer)) == (labels.keys(), run.hard)
    monkeypatch.setattr(fusing, "CELLS_MOST", 0)
    assert fuse_answered(run, 0) == {}


def test_a_pool_that_voted_on_hard_texts_alone_is_fused_by_no_pilot(run):
    asked = dict.fromkeys(voted_texts(run, [members_of(run, 0)[0].version_id], 5))
    assert set(fuse_piloted(run, 0, asked)) == set(asked)
    Run.objects.update(renewed=7)
    run.refresh_from_db()
    assert fuse_piloted(run, 0, asked) is None


def test_texts_whose_votes_are_gone_are_fused_by_no_pilot(run):
    asked = dict.fromkeys(voted_texts(run, [members_of(run, 0)[0].version_id], 5))
    Vote.objects.filter(sample__text_hash=min(asked)).delete()
    assert fuse_piloted(run, 0, asked) is None
