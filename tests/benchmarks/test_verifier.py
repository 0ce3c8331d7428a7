"""The page of the verifier's benchmark says which bars are missed, and the benchmark ends with it."""

import pytest

from benchmarks.bars import Bar
from benchmarks.verifier import Measure, report

SPENT = [(Bar("spent, USD", 0.97, 1.0), "0.9700", "1.0000"), (Bar("calls answered", 178), 178, "-")]


def line_of(text, start):
    return next(line for line in text.splitlines() if line.startswith(start))


def test_reached_bars_are_said_to_be_reached():
    text, is_missed = report([Measure(16, "the engine", 480, 15.2), Measure(4, "the engine", 120, 30.0)], SPENT)
    assert (text.splitlines()[0], is_missed) == ("Every bar is reached.", False)
    assert line_of(text, "| 16 ") == "| 16 | the engine | 480 | 15.2 | 31.6 | 0.987 | 0.9 | reached |"
    assert line_of(text, "| 4 ") == "| 4 | the engine | 120 | 30.0 | 4.0 | 0.500 | - | - |"
    assert line_of(text, "| spent") == "| spent, USD | 0.9700 | 1.0000 | reached |"
    assert line_of(text, "| calls answered") == "| calls answered | 178 | - | - |"


def test_a_missed_share_or_cap_is_named_and_ends_it_with_an_error():
    text, is_missed = report([Measure(16, "a run", 287, 10.0)], SPENT)
    assert (text.splitlines()[0], is_missed) == ("**Missed: a run, 16 calls at once.**", True)
    assert line_of(text, "| 16 ").endswith("| 0.897 | 0.9 | missed |")
    passed = [(Bar("spent, USD", 1.01, 1.0), "1.0100", "1.0000")]
    text, is_missed = report([Measure(16, "a run", 288, 10.0)], passed)
    assert (text.splitlines()[0], is_missed) == ("**Missed: spent, USD.**", True)


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [({}, "-"), ({"most": 2}, "reached"), ({"most": 1}, "missed"), ({"least": 2}, "reached"), ({"least": 3}, "missed")],
)
def test_a_bar_is_reached_at_its_limit(limits, verdict):
    bar = Bar("a measure", 2, **limits)
    assert (bar.verdict, bar.is_missed) == (verdict, verdict == "missed")
