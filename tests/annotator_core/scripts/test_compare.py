"""Scripts in the box beside the engine, on tiny real models."""

import json
from dataclasses import replace

import numpy as np
import pytest

from annotator_core.errors import BadInput, BadModelFolder, SpecialistCrashed
from annotator_core.scripts.answers import NO_ANSWER, NO_PROBS, read_probs
from annotator_core.scripts.asking import Subject
from annotator_core.scripts.compare import Comparison, Pilot, compare_script
from annotator_core.scripts.kinds import Kind
from annotator_core.scripts.voter import SCRIPT_FILE, write_script_file
from annotator_core.scripts.writing import write_template
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.specialists.mapping import OUTSIDE
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN, LabelMap
from tests.annotator_core.conftest import LABELS

TEXTS = ("good movie", "the flight was awful", "bad service", "very late", "never again", "fine", "a", "great")
MAP = LabelMap(LABELS, (0, ABSTAIN, 1))
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


def test_another_answer_is_shown_and_does_not_pass(needs_box, subject):
    found = compare_script(needs_box, Kind.ANNOTATE, LAZY, subject, Pilot(TEXTS))
    assert not found.passes
    assert found.agreed + len(found.differences) == 8
    assert {one.script for one in found.differences} == {1}
    assert 1 not in {one.engine for one in found.differences}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return []", "a list of 8 rows; this is a list of 0"),
        ("raise ValueError('no')", "It ended without a result"),
    ],
)
def test_a_script_that_does_not_do_its_duty_is_a_problem(needs_box, subject, body, words):
    code = f"def annotate(texts, folder, targets, n_classes, max_length):\n    {body}\n"
    found = compare_script(needs_box, Kind.ANNOTATE, code, subject, Pilot(TEXTS))
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


@pytest.mark.parametrize("kind", [Kind.DEPLOY, Kind.ANNOTATE])
def test_an_accepted_script_votes_as_the_engine_does(needs_box, subject, kind):
    write_script_file(write_template(kind), subject.folder, kind)
    texts = [*TEXTS, TEXTS[0], ""]
    mine = load_specialist("torch", _spec(subject)).predict(texts)
    heard = []
    theirs = load_specialist("script", _spec(subject)).predict(texts, on_progress=lambda *done: heard.append(done))
    np.testing.assert_allclose(theirs.probs, mine.probs, atol=1e-4)
    assert [reason is None for reason in theirs.reasons] == [reason is None for reason in mine.reasons]
    assert heard[-1] == (10, 10)


def test_what_deploy_says_goes_through_the_map(needs_box, subject):
    """Labels 0 and 2 mean classes 0 and 1; label 1 means none; a row of classes is no row of labels."""
    rows = [[0.75, 0.0, 0.25], [0.25, 0.5, 0.25], None, [0.25, 0.75]]
    code = f"def deploy(folder):\n    return lambda texts: {rows}\n"
    write_script_file(code, subject.folder, Kind.DEPLOY)
    found = load_specialist("script", _spec(subject)).predict(["a", "good", "bad", "fine"])
    np.testing.assert_allclose(found.probs, [[0.75, 0.25], *[[np.nan, np.nan]] * 3])
    assert found.reasons == (None, OUTSIDE, NO_ANSWER, NO_PROBS)


def test_a_script_that_breaks_while_it_votes_is_a_crash_with_its_words(needs_box, subject):
    write_script_file(LAZY.replace("return", "raise RuntimeError('out of luck')\n    return"), subject.folder)
    with pytest.raises(SpecialistCrashed, match=r"scripted: It ended without a result .* out of luck"):
        load_specialist("script", _spec(subject)).predict(TEXTS)
    write_script_file(LAZY.replace("return [", "return 1 or ["), subject.folder)
    with pytest.raises(SpecialistCrashed, match="this is no list"):
        load_specialist("script", replace(_spec(subject), max_length=None)).predict(TEXTS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import os\n" + LAZY, Kind.ANNOTATE),
        (LAZY, Kind.DEPLOY),
        (write_template(Kind.FINE_TUNE), Kind.FINE_TUNE),
    ],
)
def test_a_folder_whose_script_may_not_run_is_refused(subject, code, kind):
    write_script_file(code, subject.folder, kind)
    with pytest.raises(BadModelFolder, match="holds no script that may run"):
        load_specialist("script", _spec(subject))


def test_a_script_file_that_names_no_kind_annotates(needs_box, subject):
    """As they were written before deploy could vote."""
    (subject.folder / SCRIPT_FILE).write_text(json.dumps({"format": 1, "code": LAZY}), encoding="utf-8")
    assert load_specialist("script", _spec(subject)).predict(["a"]).probs.tolist() == [[0.0, 1.0]]
