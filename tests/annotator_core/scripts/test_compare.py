"""Scripts in the box beside the engine, on tiny real models."""

from dataclasses import replace

import numpy as np
import pytest

from annotator_core.errors import BadInput, BadModelFolder, SpecialistCrashed
from annotator_core.scripts.answers import NO_ANSWER, NO_PROBS, read_probs
from annotator_core.scripts.compare import Comparison, Pilot, Subject, compare_script
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.voter import write_script_file
from annotator_core.scripts.writing import write_template
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.conftest import LABELS

TEXTS = ("good movie", "the flight was awful", "bad service", "very late", "never again", "fine", "a", "great")
MAP = LabelMap(LABELS, (0, ABSTAIN, 1))
LEARNED = Pilot(TEXTS, (2, 0, 0, 0, 0, 1, 1, 2))
LAZY = """
def annotate(texts, folder, targets, n_classes, max_length):
    return [[0.0] * (n_classes - 1) + [1.0] for _ in texts]
"""


@pytest.fixture
def subject(classifier):
    return Subject(classifier, MAP, 2, 16)


@pytest.mark.parametrize("kind", [Kind.DEPLOY, Kind.ANNOTATE])
def test_the_template_agrees_with_the_engine(needs_box, subject, kind):
    found = compare_script(needs_box, kind, write_template(kind), subject, Pilot(TEXTS))
    assert (found.problem, found.agreed, found.rows) == ("", 8, 8), found.log
    assert found.largest < 1e-4
    assert found.passes


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_template_fine_tunes(needs_box, subject):
    code = write_template(Kind.FINE_TUNE).replace("2e-5", "1e-2").replace("EPOCHS = 3", "EPOCHS = 30")
    found = compare_script(needs_box, Kind.FINE_TUNE, code, subject, Pilot(TEXTS, (2,) * len(TEXTS)))
    assert found.problem == "", found.log
    assert (found.before, found.agreed) == (0, len(TEXTS))
    assert found.passes


def test_another_answer_is_shown_and_does_not_pass(needs_box, subject):
    found = compare_script(needs_box, Kind.ANNOTATE, LAZY, subject, Pilot(TEXTS))
    assert not found.passes
    assert found.agreed + len(found.differences) == 8
    assert {one.script for one in found.differences} == {1}
    assert 1 not in {one.engine for one in found.differences}


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (Kind.ANNOTATE, "return []", "a list of 8 rows; this is a list of 0"),
        (Kind.ANNOTATE, "raise ValueError('no')", "It ended without a result"),
        (Kind.FINE_TUNE, "return None", "has no config.json"),
        (Kind.FINE_TUNE, "import shutil\n    shutil.copytree(folder, out_folder, dirs_exist_ok=True)", "it was before"),
    ],
)
def test_a_script_that_does_not_do_its_duty_is_a_problem(needs_box, subject, kind, body, words):
    arguments = {
        Kind.ANNOTATE: "annotate(texts, folder, targets, n_classes, max_length)",
        Kind.FINE_TUNE: "fine_tune(folder, texts, labels, out_folder)",
    }
    found = compare_script(needs_box, kind, f"def {arguments[kind]}:\n    {body}\n", subject, LEARNED)
    assert words in found.problem
    assert not found.passes


def test_rows_that_are_no_probabilities_abstain_with_a_reason():
    rows = [[0.25, 0.75], None, [1.0], [0.5, 0.6], [float("nan"), 1.0], [True, False], "x", [-0.5, 1.5]]
    probs, reasons = read_probs(rows, 8, 2)
    np.testing.assert_array_equal(probs[0], [0.25, 0.75])
    assert np.isnan(probs[1:]).all()
    assert reasons == [None, NO_ANSWER, *[NO_PROBS] * 6]
    for wrong in ({}, "x", [[1.0, 0.0]]):
        with pytest.raises(BadInput):
            read_probs(wrong, 8, 2)


def test_nothing_passes_on_no_rows():
    assert not Comparison(0).passes
    assert not Comparison(100, agreed=97).passes
    assert Comparison(100, agreed=98).passes


def _spec(subject):
    return SpecialistSpec(
        subject.folder, subject.label_map, subject.n_classes, subject.max_length, Identity("scripted")
    )


def test_an_accepted_script_votes_as_the_engine_does(needs_box, subject):
    write_script_file(write_template(Kind.ANNOTATE), subject.folder)
    texts = [*TEXTS, TEXTS[0], ""]
    mine = load_specialist("torch", _spec(subject)).predict(texts)
    heard = []
    theirs = load_specialist("script", _spec(subject)).predict(texts, on_progress=lambda *done: heard.append(done))
    np.testing.assert_allclose(theirs.probs, mine.probs, atol=1e-4)
    assert [reason is None for reason in theirs.reasons] == [reason is None for reason in mine.reasons]
    assert heard[-1] == (10, 10)


def test_a_script_that_breaks_while_it_votes_is_a_crash_with_its_words(needs_box, subject):
    write_script_file(LAZY.replace("return", "raise RuntimeError('out of luck')\n    return"), subject.folder)
    with pytest.raises(SpecialistCrashed, match=r"scripted: It ended without a result .* out of luck"):
        load_specialist("script", _spec(subject)).predict(TEXTS)
    write_script_file(LAZY.replace("return [", "return 1 or ["), subject.folder)
    with pytest.raises(SpecialistCrashed, match="this is no list"):
        load_specialist("script", replace(_spec(subject), max_length=None)).predict(TEXTS)


def test_a_folder_whose_script_may_not_run_is_refused(subject):
    write_script_file("import os\n" + LAZY, subject.folder)
    with pytest.raises(BadModelFolder, match="holds no script that may run"):
        load_specialist("script", _spec(subject))
