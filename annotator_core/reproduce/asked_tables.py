"""What a real endpoint answered: LLMs alone in three ways, and every policy on the rows that were asked about."""

from collections.abc import Sequence
from typing import Final

from annotator_core.reproduce.asking import Asked
from annotator_core.reproduce.intervals import share_of_rows
from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.policy_tables import POLICIES
from annotator_core.reproduce.rules import audit_size, follow_paper
from annotator_core.reproduce.study import Measured

_NOTE: Final = """\
{verifier} of a real endpoint is the verifier, put zero-shot. It was asked about {rows} rows a set at most, drawn by one
seed, so every column with an LLM, but for Table 6, counts these rows alone: a hard row among them has its answer, an
answer that names no class is wrong, and the interval is Wilson's over these rows. The race with an LLM has its audit
among them ({audits} rows). {models}
"""
_MAJORITY: Final = "LLM majority is that of {models}; a tie names no class."
_NO_MAJORITY: Final = "LLM majority was not run on the asked rows: it needs --model more than once."


def tell_consulted(found: Sequence[Measured]) -> str:
    """Return what the columns with an LLM count where a real endpoint was asked; empty where none was."""
    consulted = [each.consulted for each in found if each.consulted is not None]
    if not consulted:
        return ""
    models, sizes = consulted[0].models, [len(each.rows) for each in consulted]
    audits = sorted({audit_size(size) for size in sizes})
    return _NOTE.format(
        verifier=models[0],
        rows=f"{max(sizes):,}",
        audits=" to ".join(f"{size}" for size in dict.fromkeys((audits[0], audits[-1]))),
        models=_MAJORITY.format(models=", ".join(models)) if len(models) > 1 else _NO_MAJORITY,
    )


def write_asked(asked: Sequence[Asked]) -> str:
    """Return the table of the models alone by their strategies."""
    head = ["set", "model", "strategy", "rows", "accuracy", "hard rows", "accuracy on them", "no label"]
    head += ["tokens a row", "s a row"]
    rows = [
        [
            each.title, each.model, each.strategy, str(each.rows), share_of_rows(each.accuracy, each.rows).tell(),
            str(each.hard_rows), share_of_rows(each.hard_accuracy, each.hard_rows).tell(), str(each.abstained),
            _tell(each.tokens, 0), _tell(each.seconds, 2),
        ]
        for each in asked
    ]  # fmt: skip
    return write_table(head, rows)


def write_consulted(found: Sequence[Measured]) -> str:
    """Return every policy's accuracy on the rows asked alone, so that columns compare within a set."""
    rows = []
    for measured in found:
        consulted = measured.consulted
        if consulted is None:
            continue
        hard = int(follow_paper(measured.votes.pool(measured.dataset.pool)).hard[consulted.rows].sum())
        told = [consulted.tell_policy(name).tell() for name in POLICIES]
        rows.append([measured.dataset.title, f"{len(consulted.rows):,}", f"{hard:,}", *told])
    return write_table(["set", "rows asked", "hard among them", *POLICIES.values()], rows)


def _tell(value: float, digits: int) -> str:
    return "not counted" if value != value else f"{value:.{digits}f}"
