"""The stress out of domain: sets that no specialist has learned from beside the others of their task."""

from collections.abc import Sequence
from typing import Final

from annotator_core.reproduce.intervals import share_of_rows
from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.measure import share_right
from annotator_core.reproduce.policy_tables import over_seeds, score_person
from annotator_core.reproduce.study import Measured

_HEAD: Final = (
    "set", "domain", "best alone", "hard", "right where all agree", "paper + person", "paper + LLM", "race + fusion",
)  # fmt: skip


def write_stress(found: Sequence[Measured]) -> str:
    """Return the table, known domains first: over rows where nothing is drawn, else over seeds."""
    stressed = [each for each in found if each.dataset.task in ("sentiment", "toxicity")]
    return write_table(_HEAD, [_write_row(each) for each in sorted(stressed, key=_rank)])


def _rank(measured: Measured) -> tuple[str, bool]:
    return measured.dataset.task, not measured.dataset.is_home


def _write_row(measured: Measured) -> list[str]:
    votes, n_rows, figures = measured.votes.pool(measured.dataset.pool).votes, len(measured.votes), measured.rules[0]
    best = max(share_right(votes[:, column], measured.votes.gold) for column in range(votes.shape[1]))
    agreed_rows = round((1 - figures["hard"]) * n_rows)
    means = (
        share_of_rows(best, n_rows),
        share_of_rows(figures["hard"], n_rows),
        share_of_rows(figures["agreed_right"], agreed_rows),
        score_person(measured),
        over_seeds(measured, "paper_llm"),
        over_seeds(measured, "race_fusion"),
    )
    domain = "known" if measured.dataset.is_home else "**foreign**"
    return [measured.dataset.title, domain, *(mean.tell() for mean in means)]
