"""Every remark of an assessment is a sentence with its figures."""

import pytest

from annotator_core.consensus import warnings
from labeling.quality.figures import Notice
from labeling.quality.notices import REMARKS, WARNINGS, sentences_of

VALUES = {"name": "courier", "names": ["joy", "anger"], "rows": 300, "count": 1_200, "share": 0.361, "other": 0.34}
KNOWN = {**WARNINGS, **REMARKS}


@pytest.mark.parametrize("code", KNOWN)
def test_a_notice_is_a_whole_sentence(code):
    (sentence,) = sentences_of([Notice(code, VALUES)], KNOWN)
    assert (sentence[-1], "%(" in sentence) == (".", False)


def test_counts_are_grouped_and_choose_the_plural():
    said = [*sentences_of([Notice("copies", {"count": count}) for count in (1, 1_200)], KNOWN)]
    assert said == [
        "1 audited text stands in the data more than once: shares count it as often, a certificate once.",
        "1,200 audited texts stand in the data more than once: shares count them as often, a certificate once.",
    ]


def test_names_stand_in_a_row():
    (sentence,) = sentences_of([Notice("class_without_rows", {"names": ["joy", "anger"], "count": 2})], KNOWN)
    assert sentence == "No audited text is of the classes joy, anger: nothing was measured of them."


def test_every_warning_of_the_engine_has_words():
    engine = set(warnings.Code.__args__)
    assert engine - set(WARNINGS) == set()
