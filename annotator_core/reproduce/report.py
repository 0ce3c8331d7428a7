"""The report: one Markdown file and its plots."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from annotator_core.reproduce.asked_tables import tell_consulted, write_asked, write_consulted
from annotator_core.reproduce.asking import Asked
from annotator_core.reproduce.contract_tables import draw_contract, write_contract
from annotator_core.reproduce.cost_tables import tell_costs, write_costs
from annotator_core.reproduce.costs import Price
from annotator_core.reproduce.equal_tables import draw_equal, tell_verdict, write_equal
from annotator_core.reproduce.loop_tables import draw_forgetting, draw_loops, tell_loops, write_loops
from annotator_core.reproduce.loops import Loops
from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.people import LLM_SENTIMENT, tell_share
from annotator_core.reproduce.policy_tables import (
    draw_policies,
    tell_means,
    tell_simulation,
    write_policies,
    write_table_three,
    write_winners,
)
from annotator_core.reproduce.sets import LEFT_OUT
from annotator_core.reproduce.site_tables import Group, tell_site, write_site_loops
from annotator_core.reproduce.stream import STREAM_ROWS
from annotator_core.reproduce.stress_tables import write_stress
from annotator_core.reproduce.study import Measured
from annotator_core.reproduce.sweep_tables import Swept, draw_points, sweep_large, write_points
from annotator_core.reproduce.sweeps import sweep_epsilon, sweep_pool
from annotator_core.storage import report_storage

_CONTRACT: Final = """\
300 audited rows, at most a fifth; a third fits the race, the others certify, at 95% confidence. What is not accepted is
reviewed; a target that is not reached accepts nothing. Reviewed is the mean over all seeds, wrong that over the seeds
that reached the target, of a single one with Wilson's interval over its accepted rows.
"""
_AUDITED: Final = """\
The audited answers are this person's, too: a certificate counts what differs from them, the table what differs from
gold.
"""
_LOOPS: Final = """\
A stream of {rows} tweets (tweet_sentiment_extraction) under the paper's rule, {seeds}; three linear specialists of
other sources learn from the hard pool. The person is that of the other tables, the LLM simulated: right on {llm} of
the rows. *Voted again*: rows accepted on the way get the last pool's answer. The paper's beta is 2,000.
"""
_SPECIALISTS: Final = """\
Specialists are real: encoders of 22.7 M parameters fine-tuned by `python -m benchmarks.train_specialists` on 3,000 rows
each, linear ones trained by the command on 500 to 3,000 rows each, and stored answers. Linear pools stand in where
training an encoder for every set would have taken hours.
"""


@dataclass(frozen=True, slots=True)
class Material:
    """All that a report is written from.

    missing: sets that could not be voted on, with the reason. loops, asked: None where not run. site_loops: the site's
    own figures, empty for none. person_accuracy: 0 to 1. command_bytes: the most that this command held.
    """

    found: Sequence[Measured]
    missing: Mapping[str, str]
    loops: Loops | None
    asked: Sequence[Asked] | None
    prices: Mapping[str, Price]
    site_loops: Sequence[Group]
    person_accuracy: float
    command_bytes: int


@dataclass(frozen=True, slots=True)
class _Sweeps:
    pools: Swept
    epsilon: Swept


def write_report(material: Material, out: Path) -> Path:
    """Return the report's path in the folder `out`, its plots beside it. Raises StorageError or StoreFull."""
    sweeps = _Sweeps(sweep_large(material.found, sweep_pool), sweep_large(material.found, sweep_epsilon))
    with report_storage(f"The folder {out}"):
        out.mkdir(parents=True, exist_ok=True)
        for name, drawn in _draw_plots(material, sweeps).items():
            (out / name).write_text(drawn, encoding="utf-8")
        path = out / "report.md"
        path.write_text("\n".join(_write_sections(material, sweeps)), encoding="utf-8")
    return path


def _draw_plots(material: Material, sweeps: _Sweeps) -> dict[str, str]:
    plots = {}
    if material.found:
        plots["equal.svg"] = draw_equal(material.found)
        plots["policies.svg"] = draw_policies(material.found)
        plots["contract.svg"] = draw_contract(material.found)
    if sweeps.pools:
        plots["specialists.svg"] = draw_points("The number of specialists, all agreeing", sweeps.pools)
        plots["epsilon.svg"] = draw_points("The sweep of epsilon: how many must agree", sweeps.epsilon)
    if material.loops is not None:
        plots["beta.svg"] = draw_loops(material.loops)
        plots["forgetting.svg"] = draw_forgetting(material.loops)
    return plots


def _write_sections(material: Material, sweeps: _Sweeps) -> list[str]:
    found = material.found
    if not found:
        return [_write_head(material), _tell_rounds(material), *_write_loops(material)]
    return [
        _write_head(material),
        f"- {tell_verdict(found)}\n{tell_means(found)}{_tell_rounds(material)}",
        "## Where the paper's rule wins and where ours does\n",
        write_winners(found),
        "## Reviews at equal accuracy\n",
        write_equal(found),
        "![Reviews as a share of the paper's](equal.svg)\n",
        *_write_policies(material),
        "## The contract at 2, 5 and 10%\n",
        _CONTRACT,
        *_tell_person(material, _AUDITED),
        write_contract(found),
        "![Rows that people review under the contract](contract.svg)\n",
        "## Table 4: tokens, time, money, memory\n",
        tell_costs(found, material.prices, material.command_bytes),
        write_costs(found, material.prices),
        *_write_sweeps(material, sweeps),
        *_write_loops(material),
        "## Out of domain\n",
        *_tell_person(material),
        write_stress(found),
        _write_left_out(material),
    ]


def _write_policies(material: Material) -> list[str]:
    """Return Table 3 and the policies at equal numbers of reviews."""
    found = material.found
    return [
        "## Table 3: specialists, LLMs, the paper's rule\n",
        _tell_verifiers(material),
        *_tell_person(material),
        write_table_three(found),
        _write_asked(material.asked),
        "## Policies at equal numbers of reviews\n",
        *_tell_person(material),
        *([tell_consulted(found)] if material.asked is not None else []),
        write_policies(found),
        *_write_consulted(material),
        "![Accuracy at equal numbers of reviews](policies.svg)\n",
    ]


def _write_head(material: Material) -> str:
    seeds = max((len(each.rules) for each in material.found), default=0)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scikit-learn", "torch", "transformers"))
    person = "gold"
    if material.person_accuracy < 1:
        person = (
            f"right on {tell_share(material.person_accuracy)} of the rows, drawn by seed, and says the same of a row "
            "under every rule"
        )
    return (
        "# The paper's tables, and our rules beside them\n\n"
        "Made by `python -m annotator_core reproduce` on data sets with gold labels.\n\n"
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {libraries}. "
        f"{_count(len(material.found), 'set')}, {_count(seeds, 'seed')}; the person is {person}. Figures are "
        "percentages unless they say otherwise. In brackets a 95% interval: Student's over seeds, "
        "Wilson's over rows where nothing is drawn.\n\n"
        f"{_SPECIALISTS}"
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _tell_person(material: Material, more: str = "") -> list[str]:
    """Return a line about an imperfect person for the head of a table; nothing where the person is gold."""
    if material.person_accuracy == 1:
        return []
    return [f"The person is right on {tell_share(material.person_accuracy)} of the rows.\n", *([more] if more else [])]


def _tell_verifiers(material: Material) -> str:
    if material.asked is not None:
        return tell_consulted(material.found)
    told = tell_simulation(material.found)
    return f"{told}Of the sets with stored answers of real LLMs the first LLM is the verifier.\n"


def _write_asked(asked: Sequence[Asked] | None) -> str:
    if asked is None:
        return (
            "LLM alone by zero-shot, one-shot and chain of thought on the other sets: not run, no endpoint was given.\n"
        )
    return f"Alone, the models of the real endpoint, a way of asking a row:\n\n{write_asked(asked)}"


def _write_consulted(material: Material) -> list[str]:
    if material.asked is None:
        return []
    return [
        "On the rows that the real endpoint was asked about, every policy on these rows alone:\n",
        write_consulted(material.found),
    ]


def _write_sweeps(material: Material, sweeps: _Sweeps) -> list[str]:
    if not sweeps.pools:
        return []
    return [
        "## Table 5: the number of specialists\n",
        *_tell_person(material),
        "All of m must agree. *Order only*: reviews by the margin of the averaged probability for the same accuracy.\n",
        write_points("m", sweeps.pools),
        "![The number of specialists](specialists.svg)\n",
        "## The sweep of epsilon\n",
        *_tell_person(material),
        "All specialists of the set; one more than there are sends every row on.\n",
        write_points("must agree", sweeps.epsilon),
        "![The sweep of epsilon](epsilon.svg)\n",
    ]


def _tell_rounds(material: Material) -> str:
    loops = "" if material.loops is None else tell_loops(material.loops)
    return f"{loops}{tell_site(material.site_loops)}"


def _write_loops(material: Material) -> list[str]:
    parts = ["## Table 6: beta, beta = infinity, and forgetting\n"]
    if material.loops is None:
        return [*parts, "Not run: leave --only out, or name beta.\n"]
    seeds = _count(len(next(iter(material.loops.values()))), "seed")
    parts.append(_LOOPS.format(rows=f"{STREAM_ROWS:,}", llm=tell_share(LLM_SENTIMENT.hard), seeds=seeds))
    parts += [*_tell_person(material), write_loops(material.loops), "![Fine-tuning on the way](beta.svg)\n"]
    return [*parts, "![What is forgotten](forgetting.svg)\n", *write_site_loops(material.site_loops)]


def _write_left_out(material: Material) -> str:
    rows = [*material.missing.items(), *LEFT_OUT.items()]
    return "## What was not measured\n\n" + write_table(["set", "reason"], rows)
