"""The passes through the stream, measured once and kept.

Source: AutoAnnotator (arXiv 2506.16393), Table 6.
"""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from annotator_core.reproduce.kept import digest_settings
from annotator_core.reproduce.people import LLM_SENTIMENT, answer_rows, simulate_person
from annotator_core.reproduce.specialists import Folders
from annotator_core.reproduce.stream import BETAS, STREAM_ROWS, Passed, open_stream, pass_stream
from annotator_core.reproduce.study import Say, keep

SEEDS: Final = 3
"""Seeds of rows that fine-tune. Source: the plan of this comparison."""
REVIEWERS: Final = ("person", "llm")
_FORMAT: Final = 2
"""Raised when the passes change, so that figures of older ones are not taken for them."""

Loops = Mapping[tuple[str, int | None], tuple[Passed, ...]]
"""By reviewer and beta: one pass a seed."""


def measure_loops(folders: Folders, seeds: int, person_accuracy: float, say: Say) -> Loops:
    """Return the passes of each reviewer and beta; say gets a line as each seed begins.

    person_accuracy: 0 to 1. Raises as `stream.open_stream` does: BadInput where a source is missing.
    """
    found: dict[tuple[str, int | None], list[Passed]] = {(who, beta): [] for who in REVIEWERS for beta in BETAS}
    for seed in range(seeds):
        digest = digest_settings(_FORMAT, STREAM_ROWS, person_accuracy)
        path = folders.kept / "figures" / f"beta-{seed}-{digest}.json"
        say(f"beta: seed {seed}")
        figures = keep(path, partial(_measure, folders, person_accuracy, seed))
        for who, beta in found:
            found[who, beta].append(Passed(**figures[f"{who} {beta}"]))
    return {key: tuple(passed) for key, passed in found.items()}


def _measure(folders: Folders, person_accuracy: float, seed: int) -> dict[str, Any]:
    rows, members = open_stream(folders.data, folders.kept, seed)
    # On a stream whose hard rows change with the pool, the LLM has its hard rows' accuracy on all of them.
    answers = {
        "person": simulate_person(rows.gold, 3, person_accuracy, seed),
        "llm": answer_rows(rows.gold, LLM_SENTIMENT.hard, 3, seed),
    }
    return {
        f"{who} {beta}": asdict(pass_stream(rows, members, given, beta))
        for who, given in answers.items()
        for beta in BETAS
    }
