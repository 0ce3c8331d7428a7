"""``python -m annotator_core search``: models of the Hub that fit a task, proved on rows of one's own."""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.exits import Exit
from annotator_core.cli.gold import read_gold
from annotator_core.cli.outputs import write_result
from annotator_core.cli.pilot import pick_texts
from annotator_core.cli.pool import HubAccess
from annotator_core.cli.shared import add_source, parse_classes
from annotator_core.cli.tables import open_source
from annotator_core.errors import BadInput, BudgetReached
from annotator_core.types import ABSTAIN

# scipy takes a second to import: who asks for another command does not pay for it.
if TYPE_CHECKING:
    from annotator_core.contract.estimate import Estimate
    from annotator_core.meta.asking import LanguageModel
    from annotator_core.meta.search import Rows, SearchResult, Tried

_TIMEOUT_S: Final = 120.0
_PROBES, _PROBE_TOKENS = 8, 256
"""More than `capability.probe` sends: requests, tokens of an answer."""
_EXAMPLES: Final = """\
  python -m annotator_core search tweets.csv --text-column text --classes negative,neutral,positive \\
      --task "Sentiment of tweets about airlines"
  ... --gold-column answer            prove candidates on rows that people answered
  ... --candidates 10 --max-mb 600    try more models, and smaller ones
  ... --verifier https://api.openai.com/v1 --model gpt-5-mini --price 0.25,2 --max-usd 0.20
                                      a language model writes the search words and judges the cards
  ... --json                          the same findings for a program
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One tried model, as ``--json`` tells it; all of it but the figures is foreign text.

    similarity of task and card, information and agreement as of `proof.Proof`: 0 to 1.
    """

    model: str
    revision: str
    license: str
    size_bytes: int
    downloads: int
    similarity: float
    accuracy: "Estimate"
    n_gold: int
    information: float | None
    agreement: float | None
    is_recommended: bool
    why_not: str
    label_map: dict[str, str | None]


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``search``."""
    parser = add_command(
        commands,
        "search",
        purpose="find models on the Hub that fit a task",
        description="Search the Hub for classifiers of a task, keep what is safe to load, and prove it on random rows.",
        examples=_EXAMPLES,
    )
    add_source(parser)
    parser.add_argument("--task", required=True, metavar="TEXT", help="what the texts are and what is told apart")
    parser.add_argument("--classes", required=True, metavar="A,B,...", help="the possible answers")
    parser.add_argument("--gold-column", metavar="NAME", help="people's answers for random rows, empty for the others")
    parser.add_argument("--rows", type=int, default=200, metavar="N", help="random rows to try on (default: 200)")
    parser.add_argument("--candidates", type=int, default=6, metavar="N", help="models to try (default: 6)")
    parser.add_argument("--top", type=int, default=3, metavar="N", help="models to recommend (default: 3)")
    parser.add_argument("--max-mb", type=int, default=1_500, metavar="MB", help="of one model (default: 1500)")
    parser.add_argument("--seed", type=int, default=0, help="of the rows that are drawn (default: 0)")
    parser.add_argument("--json", action="store_true", help="write the findings as JSON")
    group = parser.add_argument_group("language model", "its key is read from the environment, OPENAI_API_KEY")
    group.add_argument("--verifier", metavar="URL", help="an OpenAI-compatible endpoint, up to /v1; needs --model")
    group.add_argument("--model", metavar="M", help="the model's name there")
    group.add_argument("--price", metavar="IN,OUT", help="dollars for a million tokens in and out")
    group.add_argument("--max-usd", type=float, metavar="X", help="ask no more before it costs more; needs --price")
    group.add_argument(
        "--verifier-allow", action="append", default=[], metavar="HOST", help="a private address to allow"
    )
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write what was found to stdout; raises AnnotatorError's children."""
    from annotator_core.cli.figures import to_json
    from annotator_core.meta.hub_api import Hub
    from annotator_core.meta.search import Source, Wish, find_models
    from annotator_core.meta.task import Task

    classes = parse_classes(named.classes)
    _check(named)
    rows = _read_rows(named, classes)
    wish = Wish(named.candidates, named.top, named.max_mb * 1_000_000)
    hub.cache.mkdir(parents=True, exist_ok=True)
    with (
        _language_model(named, hub.llm_key) as language_model,
        tempfile.TemporaryDirectory(prefix=".search-", dir=hub.cache) as folder,
    ):
        found = find_models(
            Task(named.task, classes, tuple(rows.texts[:5])),
            rows,
            wish,
            Source(Hub(hub.endpoint, hub.token), Path(folder)),
            language_model=language_model,
            tell=_report,
        )
    findings = [_sum_up(one, classes) for one in found.tried]
    write_result(to_json({"findings": findings, "notes": _note(found)}) if named.json else _tell(found, findings))
    return Exit.DONE


def _report(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _check(named: argparse.Namespace) -> None:
    wrong = {
        "--verifier and --model go together.": (named.verifier is None) is not (named.model is None),
        "What is said about a language model needs --verifier.": (
            named.verifier is None and bool(named.price or named.max_usd)
        ),
        "--max-usd needs --price: without it nobody knows what a call costs.": (
            named.max_usd is not None and named.price is None
        ),
        "--rows, --candidates, --top and --max-mb are 1 or more.": (
            min(named.rows, named.candidates, named.top, named.max_mb) < 1
        ),
        "--task says nothing.": not named.task.strip(),
    }
    for why, is_wrong in wrong.items():
        if is_wrong:
            raise BadInput(why)


def _read_rows(named: argparse.Namespace, classes: Sequence[str]) -> "Rows":
    """Random rows, first of all those with an answer."""
    from annotator_core.meta.search import Rows
    from annotator_core.pilot import draw_rows

    with open_source(named.input, named.text_column, named.format) as table:
        gold = np.full(table.n_rows, ABSTAIN, dtype=np.int64)
        if named.gold_column is not None:
            gold = read_gold(table, named.gold_column, classes)
        known = np.flatnonzero(gold != ABSTAIN)
        pool = known if len(known) else np.arange(table.n_rows)
        drawn = pool[draw_rows(len(pool), named.rows, named.seed)]
        return Rows(pick_texts(table, drawn.tolist()), gold[drawn])


@contextmanager
def _language_model(named: argparse.Namespace, key: str | None) -> "Iterator[LanguageModel | None]":
    if named.verifier is None:
        yield None
        return
    from annotator_core.cli.verifier import read_price
    from annotator_core.meta.asking import LanguageModel
    from annotator_core.verifiers.capability import probe
    from annotator_core.verifiers.client import Endpoint, OpenAIAsker
    from annotator_core.verifiers.contract import Message
    from annotator_core.verifiers.ledger import MemoryLedger
    from annotator_core.verifiers.money import to_nano, worst_nano

    price = read_price(named.price)
    ledger = MemoryLedger(None if named.max_usd is None else to_nano(named.max_usd))
    worst = _PROBES * worst_nano((Message("user", "?" * 256),), _PROBE_TOKENS, price)
    if ledger.cap_nano is not None and worst > ledger.cap_nano:
        raise BudgetReached("The cap leaves no room to find out what the endpoint can do: raise it.")
    endpoint = Endpoint(named.verifier, named.model, key, _TIMEOUT_S, price)
    found = probe(endpoint, named.verifier_allow)
    ledger.spent_nano += found.cost_nano
    with OpenAIAsker(replace(endpoint, capability=found.capability), allow=named.verifier_allow) as asker:
        yield LanguageModel(asker, ledger, price)


def _sum_up(tried: "Tried", classes: Sequence[str]) -> Finding:
    from annotator_core.meta.choice import WHY_NOT
    from annotator_core.meta.task import tidy

    one, targets = tried.reading, tried.proposed.label_map.targets
    why = tried.choice.why_not
    return Finding(
        model=one.model_id,
        revision=one.revision,
        license=one.license,
        size_bytes=one.size_bytes,
        downloads=one.downloads,
        similarity=tried.similarity,
        accuracy=tried.proof.accuracy,
        n_gold=tried.proof.n_gold,
        information=tried.proof.information,
        agreement=tried.proof.agreement,
        is_recommended=why is None,
        why_not="" if why is None else WHY_NOT[why],
        label_map={
            tidy(label, 60): None if target == ABSTAIN else classes[target]
            for label, target in zip(one.labels, targets, strict=True)
        },
    )


def _note(found: "SearchResult") -> list[str]:
    """How the search worked, and what became of the others."""
    from annotator_core.meta.reading import REFUSALS
    from annotator_core.meta.similarity import Method

    writer = "a language model" if found.words.is_by_llm else "keywords of the task; no language model wrote any"
    judge = "a language model" if found.similarity.method is Method.LANGUAGE_MODEL else "the words they share (TF-IDF)"
    return [
        f"Searched for {', '.join(found.words.queries)} ({writer}). Cards were compared with the task by {judge}.",
        *(f"Language model: {why}" for why in dict.fromkeys((found.words.problem, found.similarity.problem)) if why),
        *(f"{one.model_id}: {why}" for one, why in found.failed),
        *(f"{one.model_id}: {REFUSALS[one.refusals[0]]}" for one in found.refused),
        *(f"{one.model_id}: others fit the task better." for one in found.passed_over),
    ]


def _tell(found: "SearchResult", findings: Sequence[Finding]) -> str:
    from annotator_core.cli.figures import format_percent, format_table

    lines = [f"{line}\n" for line in _note(found)]
    if not findings:
        return "".join([*lines, "No model that is safe to load was found: use other words, or train your own.\n"])
    header = ["model", "right", "shared", "agrees", "card", "MB", "downloads", "license"]
    rows = [
        [
            one.model,
            format_percent(one.accuracy),
            _share(one.information),
            _share(one.agreement),
            _share(one.similarity),
            f"{one.size_bytes / 1e6:,.0f}",
            f"{one.downloads:,}",
            one.license or "not stated",
        ]
        for one in findings
    ]
    taken = [f"Take {one.model}@{one.revision}: {_tell_map(one)}\n" for one in findings if one.is_recommended]
    left = [f"Leave {one.model}: {one.why_not}\n" for one in findings if not one.is_recommended]
    return "".join([*lines, "\n", format_table(header, rows), "\n", *taken, *left])


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _tell_map(one: Finding) -> str:
    return ", ".join(f"{label} = {target or '?'}" for label, target in one.label_map.items())
