import json

import pytest

from annotator_core.errors import BadInput
from annotator_core.reproduce.intervals import average
from annotator_core.reproduce.site_tables import read_site, tell_site, write_site_loops

PLANS = (
    ("paper", 1000, 1, 1.0, None, 0.85),
    ("paper", 1000, 2, 1.0, None, 0.86),
    ("paper", 1000, 3, 1.0, None, 0.87),
    ("ours", 1000, 1, 1.0, 33.0, 0.88),
    ("ours", 1000, 2, 1.0, 33.0, 0.88),
    ("paper", 500, 1, 1.0, None, 0.84),
    ("ours", 500, 1, 1.0, 32.0, 0.83),
    ("paper", 1000, 1, 0.9, None, 0.80),
)


@pytest.fixture
def folder(tmp_path):
    for number, (name, beta, seed, right, budget, accuracy) in enumerate(PLANS):
        run = {
            "policy": {"name": name, "beta": beta, "seed": seed}, "budget": budget, "rows": 6000,
            "person_right": right, "rounds": [1, 2],
            "final": {"reviewed_share": 0.347, "accuracy": accuracy, "accepted_right": 0.781},
        }  # fmt: skip
        (tmp_path / f"{number}.json").write_text(json.dumps(run))
    return tmp_path


def test_seeds_of_one_plan_are_one_row_with_its_interval(folder):
    told, table = write_site_loops(read_site(folder))
    assert told.startswith("With encoders")
    mean = average([0.85, 0.86, 0.87]).tell()
    assert mean == "86.0 (83.5 to 88.5)"
    assert table.splitlines()[2:] == [
        "| ours | 500 | 1 | 32% | 100 | 6,000 | 2 | 34.7 | 83.0 | 78.1 |",
        "| ours | 1,000 | 2 | 33% | 100 | 6,000 | 2 | 34.7 | 88.0 | 78.1 |",
        "| paper | 500 | 1 | - | 100 | 6,000 | 2 | 34.7 | 84.0 | 78.1 |",
        f"| paper | 1,000 | 3 | - | 100 | 6,000 | 2 | 34.7 | {mean} | 78.1 |",
        "| paper | 1,000 | 1 | - | 90 | 6,000 | 2 | 34.7 | 80.0 | 78.1 |",
    ]


def test_the_verdict_says_of_how_many_seeds_each_beta_is(folder):
    told = tell_site(read_site(folder))
    assert told == (
        "- Fine-tuning of encoders, through the site: at beta 500 ours ends at 83.0% with 34.7% reviewed, one seed, "
        "the paper's rule ends at 84.0% with 34.7% reviewed, one seed; at beta 1,000 ours ends at 88.0% with 34.7% "
        "reviewed, 2 seeds, the paper's rule ends at 86.0% (83.5 to 88.5) with 34.7% reviewed, 3 seeds. One seed shows "
        "no spread.\n"
    )


def test_without_figures_there_is_nothing_to_tell(tmp_path):
    assert (read_site(None), read_site(tmp_path)) == ((), ())
    assert (write_site_loops(()), tell_site(())) == ([], "")


def test_a_file_that_holds_no_figures_is_named(tmp_path):
    (tmp_path / "x.json").write_text('{"policy": 1}')
    with pytest.raises(BadInput, match=r"x\.json holds no figures"):
        read_site(tmp_path)
