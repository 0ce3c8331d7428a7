"""Tables 5 and 6, and the sweep of epsilon."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from annotator_core.reproduce.intervals import average
from annotator_core.reproduce.loops import REVIEWERS, Loops
from annotator_core.reproduce.markdown import percent, write_table
from annotator_core.reproduce.people import tell_share
from annotator_core.reproduce.plot import Row, draw_dots
from annotator_core.reproduce.stream import BETAS, Passed
from annotator_core.reproduce.study import Measured
from annotator_core.reproduce.sweeps import Point, sweep_epsilon, sweep_pool


def write_pools(found: Sequence[Measured]) -> str:
    """Return Table 5 for the sets with more specialists than three."""
    head = ["set", "m", "reviewed", "paper + person", "paper + LLM", "order only, of the paper's reviews"]
    return _write_points(head, {each.dataset.title: sweep_pool(each) for each in find_large(found)})


def write_epsilon(found: Sequence[Measured]) -> str:
    """Return the sweep of epsilon with all specialists of a set."""
    head = ["set", "must agree", "reviewed", "paper + person", "paper + LLM", "order only, of the paper's reviews"]
    return _write_points(head, {each.dataset.title: sweep_epsilon(each) for each in find_large(found)})


def find_large(found: Sequence[Measured]) -> list[Measured]:
    """Return the sets with more specialists than their pool of three."""
    return [each for each in found if len(each.votes.names) > len(each.dataset.pool)]


def _write_points(head: Sequence[str], points: Mapping[str, Sequence[Point]]) -> str:
    rows = [
        [
            title,
            str(point.setting),
            percent(point.reviewed),
            point.person.tell(),
            point.llm.tell(),
            point.ordered.tell(digits=0),
        ]
        for title, swept in points.items()
        for point in swept
    ]
    return write_table(head, rows)


def write_loops(loops: Loops) -> str:
    """Return Table 6, beta = infinity last, with what is forgotten."""
    head = [
        "reviewer",
        "beta",
        "rounds",
        "reviewed",
        "accuracy",
        "accepted rows voted again",
        "hard: first, last quarter",
    ]
    head.append("own sources: before, after")
    return write_table(head, [_write_loop(who, beta, loops[who, beta]) for who in REVIEWERS for beta in BETAS])


def _write_loop(who: str, beta: int | None, passed: Sequence[Passed]) -> list[str]:
    def tell(name: str) -> str:
        return average([getattr(each, name) for each in passed]).tell()

    return [
        who,
        "infinity" if beta is None else f"{beta:,}",
        average([float(each.rounds) for each in passed]).tell(1.0, 0),
        tell("reviewed"),
        tell("accuracy"),
        tell("renewed"),
        f"{tell('hard_first')}, {tell('hard_last')}",
        f"{tell('home_before')}, {tell('home_after')}",
    ]


def draw_loops(loops: Loops) -> str:
    """Return the plot of Table 6."""
    rows = [
        Row(
            f"{who}, beta {'infinity' if beta is None else f'{beta:,}'}",
            tuple(
                average([getattr(each, name) for each in loops[who, beta]])
                for name in ("reviewed", "accuracy", "renewed")
            ),
        )
        for who in REVIEWERS
        for beta in BETAS
    ]
    title = "Fine-tuning on the way: a smaller beta asks less"
    return draw_dots(title, ["reviewed", "accuracy", "voted again"], rows, low=0.0, high=1.0)


def write_site_loops(folder: Path) -> list[str]:
    """Return the part about encoders as measured through the site, from the JSON files of a folder; empty without any.

    It says of how many seeds each beta is.
    """
    head = [
        "policy",
        "beta",
        "seed",
        "budget",
        "person right",
        "rows",
        "rounds",
        "reviewed",
        "final accuracy",
        "right on accepted",
    ]
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    if not runs:
        return []
    table = write_table(head, [_write_site(run) for run in sorted(runs, key=_rank_site)])
    return [f"With encoders, through the site (refinement.md tells how); {_tell_seeds(runs)}.\n", table]


def _rank_site(run: Mapping[str, Any]) -> tuple[str, int, float, int]:
    return run["policy"]["name"], run["policy"]["beta"], -run["person_right"], run["policy"]["seed"]


def _tell_seeds(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return how many seeds there are of each beta and person, of the policy that has the fewest.

    >>> policy = {"name": "paper", "beta": 1000, "seed": 1}
    >>> _tell_seeds([{"policy": policy, "person_right": 0.9}])
    'seeds: 1 at beta 1,000 with a person who is right on 90%'
    """
    found: dict[tuple[int, float], Counter[str]] = {}
    for run in sorted(runs, key=lambda run: (run["policy"]["beta"], -run["person_right"])):
        found.setdefault((run["policy"]["beta"], run["person_right"]), Counter())[run["policy"]["name"]] += 1
    told = [f"{min(count.values())} at beta {beta:,}{_tell_right(right)}" for (beta, right), count in found.items()]
    return f"seeds: {', '.join(told)}"


def _tell_right(right: float) -> str:
    return "" if right == 1 else f" with a person who is right on {tell_share(right)}"


def _write_site(run: Mapping[str, Any]) -> list[str]:
    policy, final = run["policy"], run["final"]
    return [
        policy["name"],
        f"{policy['beta']:,}",
        str(policy["seed"]),
        "-" if run["budget"] is None else f"{run['budget']:.0f}%",
        percent(run["person_right"], 0),
        f"{run['rows']:,}",
        str(len(run["rounds"])),
        percent(final["reviewed_share"]),
        percent(final["accuracy"]),
        percent(final["accepted_right"]),
    ]
