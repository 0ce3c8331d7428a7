from math import nan
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from annotator_core.reproduce.contract_tables import draw_contract, write_contract
from annotator_core.reproduce.intervals import average, share_of_rows
from annotator_core.reproduce.kept import Votes
from annotator_core.reproduce.sets import find_sets
from annotator_core.reproduce.stress_tables import write_stress
from annotator_core.reproduce.study import Measured

NAMES = ("semeval", "finance")


def _figures(wrong, reviewed):
    """Figures of one seed: `wrong` and `reviewed` at 10%, nothing at 2 and 5%."""
    return {
        "contract_2%_reviewed": 1.0, "contract_2%_wrong": nan, "contract_5%_reviewed": 1.0, "contract_5%_wrong": nan,
        "contract_audit": 0.15, "contract_10%_reviewed": reviewed, "contract_10%_wrong": wrong, "agreed_wrong": 0.25,
        "hard": 0.6, "agreed_right": 0.75, "paper_person": 0.9, "paper_llm": 0.5, "race_fusion": 0.7,
    }  # fmt: skip


@pytest.fixture
def measure():
    """100 rows of which three specialists are right in 50, 70 and 60."""

    def make(name, *rules):
        dataset = find_sets([name])[0]
        gold = np.zeros(100, dtype=np.int64)
        told = (np.arange(100)[:, None] >= np.array([50, 70, 60])).astype(np.int64)
        probs = np.eye(3, dtype=np.float32)[told]
        none = np.empty((100, 0), np.int64)
        votes = Votes(dataset.pool, dataset.classes, probs, gold, none, np.ones(3, np.float32), gold)
        return Measured(dataset, votes, 1.0, rules, rules, ("average",) * len(rules))

    return make


def _read(table, row=0):
    return table.splitlines()[2 + row].strip("| ").split(" | ")


def test_reviewed_and_wrong_rows_are_means_over_seeds_with_intervals(measure):
    measured = measure("semeval", _figures(0.04, 0.5), _figures(0.12, 0.7), _figures(nan, 1.0))
    title, audit, at_2, at_5, at_10, agreed = _read(write_contract([measured]))
    assert (title, audit, at_2, at_5) == ("SemEval tweets (sentiment)", "15", "not reached: 100", "not reached: 100")
    reviewed, wrong = average([0.5, 0.7, 1.0]).tell(digits=0), average([0.04, 0.12]).tell()
    assert at_10 == f"{reviewed}; {wrong} (reached 2 of 3 times, 1 over)"
    assert (reviewed, wrong) == ("73 (11 to 136)", "8.0 (-42.8 to 58.8)")
    assert agreed == share_of_rows(0.25, 40).tell() == "25.0 (14.2 to 40.2)"


def test_a_single_seed_that_reached_the_target_has_an_interval_over_its_accepted_rows(measure):
    cell = _read(write_contract([measure("semeval", _figures(0.1, 0.6), _figures(nan, 1.0))]))[4]
    assert cell.split("; ")[1] == f"{share_of_rows(0.1, 40).tell()} (reached 1 of 2 times, 0 over)"


def test_the_contracts_plot_has_a_dot_a_target_and_an_interval_where_seeds_differ(measure):
    drawn = draw_contract([measure("semeval", _figures(0.04, 0.5), _figures(0.12, 0.7))])
    parts = list(ET.fromstring(drawn).iter())
    assert len([each for each in parts if each.tag.endswith("circle")]) == 3 + 3
    spread = [each for each in parts if each.get("class") == "s2" and each.tag.endswith("line")]
    assert [float(each.get("x1")) < float(each.get("x2")) for each in spread] == [True]


def test_the_stress_has_known_domains_first_and_an_interval_in_every_cell(measure):
    found = [measure(name, _figures(0.1, 0.6), _figures(0.1, 0.6)) for name in reversed(NAMES)]
    table = write_stress(found)
    known, foreign = _read(table), _read(table, 1)
    assert (known[:2], foreign[:2]) == (
        ["SemEval tweets (sentiment)", "known"],
        ["Finance tweets (sentiment)", "**foreign**"],
    )
    assert known[2:6] == [
        share_of_rows(0.7, 100).tell(), share_of_rows(0.6, 100).tell(), share_of_rows(0.75, 40).tell(),
        share_of_rows(0.9, 100).tell(),
    ]  # fmt: skip
    assert known[2] == "70.0 (60.4 to 78.1)"
    assert known[6:] == ["50.0", "70.0"]  # two seeds that gave the same


def test_sets_of_their_own_specialists_stand_in_no_stress(measure):
    assert len(write_stress([measure("semeval", _figures(0.1, 0.6))]).splitlines()) == 3
    own = measure("semeval", _figures(0.1, 0.6))
    other = Measured(find_sets(["trec6"])[0], own.votes, 1.0, own.rules, own.equal, own.winners)
    assert len(write_stress([other]).splitlines()) == 2
