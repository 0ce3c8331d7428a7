"""``python -m annotator_core label``: a table in, the same table with labels out."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from annotator_core.arrays import IntArray
from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.encoding import choose_kind
from annotator_core.cli.exits import Exit
from annotator_core.cli.gold import read_gold, read_name
from annotator_core.cli.journal import PRECISION, Command
from annotator_core.cli.looks import LOOKS_HELP
from annotator_core.cli.outputs import check_place
from annotator_core.cli.passes import Job, label_in_one_pass, label_in_two_passes
from annotator_core.cli.policies import PolicyOptions, Settled, add_policy, read_policy
from annotator_core.cli.pool import HubAccess, PoolOptions, plan_pool
from annotator_core.cli.shared import add_pool, add_source, read_pool
from annotator_core.cli.tables import Table, open_source, read_rows
from annotator_core.cli.verifier import VerifierOptions, add_verifier, read_verifier
from annotator_core.errors import BadInput
from annotator_core.loop import Policy
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.texts import hash_text

_EXAMPLES: Final = f"""\
  python -m annotator_core label tweets.csv --text-column text --classes negative,neutral,positive \\
      --specialist models/a --specialist models/b --specialist cardiffnlp/twitter-roberta-base-sentiment-latest \\
      --out labeled.csv
  ... --label-map models/a=a.json     a.json: {{"LABEL_0": "negative", "LABEL_1": null}}; null abstains
  ... --policy default --gold-column answer          what is recommended: the race's winner makes the labels
  ... --min-agree 2                   two of three must agree, the rest goes to review
  ... --budget 10                     review the least certain 10 percent of the rows
  ... --gold-column answer --aggregator race         what fits people's answers best makes the labels
  ... --gold-column answer --target-error 5          accept as many rows as can be shown to be 95 percent right
  ... --verifier https://api.openai.com/v1 --model gpt-4o-mini --price 0.15,0.6 --max-usd 2
                                      ask a language model about the rest; what it does not answer goes to review
  ... --verifier http://127.0.0.1:11434/v1 --model qwen3 --verifier-allow 127.0.0.1 --strategy few-shot \\
      --examples verified.csv --draws 3 --fuse      a local model, the majority of three answers as one more vote
  zcat tweets.jsonl.gz | python -m annotator_core label - --format jsonl ... --out - | head

output: the input's columns, then label, label_source, confidence, uncertainty, route and votes (with the prefix aa_
where the input has such a column). A row that needs a person has an empty label and the route review. Cells are
written raw: open a file from strangers in a spreadsheet only after a check for formulas. With --verifier come
verifier_label, verifier_outcome, verifier_confidence and verifier_reason; label_source is verifier, or fused, only
where the model answered with one of the classes.

a command that was killed or interrupted: run it again as it was, and it goes on. What is done so far stands beside the
output in .NAME.part or .NAME.votes with a journal; --restart forgets it. With --budget, --target-error and fitted
aggregators the votes are kept, and the writing begins anew. A language model's answers stand in .NAME.answers (or in
--answers): none of them is asked or paid for again, and a call that the kill cut off counts as paid. --restart forgets
those in .NAME.answers, too.

{LOOKS_HELP}
label counts the looks in the journal beside the output, also over --restart: another --target-error, another rule,
other votes or more answers are another look, the same question after a kill or with --anyway is not. It goes on
counting as long as one of the answered texts was among them before. After a target was reached, and on standard output,
nothing is kept: give --look.
"""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``label``."""
    parser = add_command(
        commands,
        "label",
        purpose="label a table of texts",
        description="Let a pool of specialists vote on every text; what they agree on is labeled.",
        examples=_EXAMPLES,
    )
    add_source(parser)
    parser.add_argument(
        "--out", required=True, type=Path, metavar="FILE", help="CSV, TSV or JSONL by its ending; - is standard output"
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="forget what an unfinished command left beside the output, answers of a language model too; those in "
        "--answers stay",
    )
    add_pool(parser)
    add_policy(parser)
    add_verifier(parser)
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write the labeled table and tell on stderr what was done; raises AnnotatorError's children."""
    check_place(named.out)
    options, policy = read_pool(named), read_policy(named)
    verifier = read_verifier(named, options.classes, hub.llm_key)
    _check_gold(policy, verifier)
    with ExitStack() as stack:
        table = stack.enter_context(open_source(named.input, named.text_column, named.format))
        kind = choose_kind(named.out, named.format, table)
        gold = _read_answers(table, policy, options.classes)
        planned = plan_pool(options, hub)
        pool = [load_specialist(backend, spec) for backend, spec in planned]
        voting = _identify(named.text_column, [spec for _backend, spec in planned], options)
        job = Job(table, pool, options.classes, policy, named.out, kind, voting, named.restart, gold)
        if verifier is not None:
            job = stack.enter_context(_add_verification(job, verifier))
        # What a model's answers are worth shows beside people's, once all votes are there.
        is_measured = verifier is not None and (verifier.is_fused or policy.gold_column is not None)
        if policy.needs_all_votes or is_measured:
            report, settled = label_in_two_passes(job)
        else:
            report, settled = label_in_one_pass(job), Settled(Policy())
    is_written = settled.is_reached or policy.is_anyway
    sys.stderr.write(settled.told)
    if job.verification is not None:
        sys.stderr.write(job.verification.tell())
    sys.stderr.write(f"{report.tell()}Written to {named.out}.\n" if is_written else _NOT_REACHED)
    return Exit.DONE if is_written else Exit.NOT_REACHABLE


def _check_gold(policy: PolicyOptions, verifier: VerifierOptions | None) -> None:
    if policy.gold_column is not None and verifier is None and not policy.uses_gold:
        raise BadInput(
            f"The {policy.aggregator} makes no use of the answers in --gold-column: add --policy default or "
            "--aggregator race, which learn from them, or leave the column out."
        )


def _read_answers(table: Table, policy: PolicyOptions, classes: Sequence[str]) -> IntArray:
    # Before a model is loaded and before anything is forgotten: a wrong column costs nothing.
    if policy.gold_column is None:
        return np.empty(0, dtype=np.int64)
    return read_gold(table, policy.gold_column, classes)


@contextmanager
def _add_verification(job: Job, options: VerifierOptions) -> Iterator[Job]:
    """Yield the job with its language model; answered rows are an audit's and never stand as examples."""
    from annotator_core.cli.endpoints import identify, open_verification

    column = job.policy.gold_column
    answered = (row for row in read_rows(job.table) if options.examples and column and read_name(row.get(column)))
    excluded = frozenset(hash_text(str(row[job.table.text_column] or "")) for row in answered)
    with open_verification(options, job.out, excluded, is_anew=job.is_anew) as verification:
        yield replace(job, verification=verification, asking={"language model": identify(options)})


_NOT_REACHED: Final = (
    "Nothing was written: answer more rows, allow a larger --target-error, or add --anyway. Each try with more answers "
    "or another target is another look and asks for more confidence.\n"
)


def _identify(text_column: str, pool: list[SpecialistSpec], options: PoolOptions) -> Command:
    """Return what makes two commands cast the same votes."""
    return {
        "version": 2,
        "text column": text_column,
        "classes": options.classes,
        "specialists": [[one.identity.name, one.identity.revision, one.identity.content_hash] for one in pool],
        "label maps": {name: path.read_text(encoding="utf-8") for name, path in sorted(options.label_maps.items())},
        "max length": options.max_length,
        PRECISION: ", ".join(spec.precision for spec in pool if spec.precision),
        "holes": options.allow_holes,
    }
