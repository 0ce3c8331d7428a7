"""``python -m annotator_core bench``: how fast specialists read the user's own texts on this machine."""

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import numpy as np

from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.exits import Exit
from annotator_core.cli.outputs import write_result
from annotator_core.cli.pool import HubAccess, plan_pool
from annotator_core.cli.progress import Advance, show_bar
from annotator_core.cli.shared import add_pool, add_source, read_pool
from annotator_core.cli.tables import open_source
from annotator_core.errors import BadInput
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.texts import find_flaw

_EXAMPLES: Final = """\
  python -m annotator_core bench tweets.csv --text-column text --classes negative,neutral,positive \\
      --specialist models/a --specialist models/b
  ... --rows 2000 --rounds 5          more random rows, more rounds (default: 1000 rows in each of 3 rounds)
  ... --pipeline 50                   beside it 50 texts of each round one by one through transformers' pipeline
  ... --json                          the same figures for a program

Each round reads other rows. Before them every model reads 256 texts or more that do not count: it warms up, and in bf16
it runs these in fp32, too. They are further rows, or where the table has none left, some of the same and variations.
Run it on a quiet machine: the spread between the rounds says whether it was one.
"""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is read: texts that warm a model up and do not count, and those of each round."""

    warm_up: Sequence[str]
    rounds: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Speed:
    """What one specialist did, by round: texts and tokens a second, and texts a second of the pipeline one by one.

    tokens_per_s is empty for a backend without tokens, pipeline_per_s where it was not asked for or had no text.
    """

    name: str
    load_s: float
    texts_per_s: tuple[float, ...]
    tokens_per_s: tuple[float, ...]
    pipeline_per_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """All specialists' speeds on so many texts a round, and the peak memory of this process with all of them."""

    rows_a_round: int
    rounds: int
    speeds: tuple[Speed, ...]
    peak_mb: float


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``bench``."""
    parser = add_command(
        commands,
        "bench",
        purpose="measure specialists on this machine and these texts",
        description="Measure how many texts a second each specialist reads on this machine.",
        examples=_EXAMPLES,
    )
    add_source(parser)
    add_pool(parser)
    parser.add_argument("--rows", type=int, default=1000, metavar="N", help="random rows a round (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(default: 3)")
    parser.add_argument("--pipeline", type=int, default=0, metavar="N", help="texts a round one by one beside it")
    parser.add_argument("--seed", type=int, default=0, help="of the rows that are drawn (default: 0)")
    parser.add_argument("--json", action="store_true", help="write the figures as JSON")
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write the figures to stdout; raises AnnotatorError's children."""
    from annotator_core.cli.figures import to_json

    if min(named.rows, named.rounds) < 1 or named.pipeline < 0:
        raise BadInput("--rows and --rounds must be 1 or more, --pipeline 0 or more.")
    planned = plan_pool(read_pool(named), hub)
    drawn = _draw(named)
    with show_bar(len(planned) * len(drawn.rounds), "round") as advance:
        speeds = tuple(_measure(backend, spec, drawn, named.pipeline, advance) for backend, spec in planned)
    bench = Bench(
        rows_a_round=len(drawn.rounds[0]),
        rounds=len(drawn.rounds),
        speeds=speeds,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    write_result(to_json(bench) if named.json else _tell(bench))
    return Exit.DONE


def _draw(named: argparse.Namespace) -> Drawn:
    """Return the texts of each round, no row twice; a small table gives smaller rounds."""
    from annotator_core.cli.pilot import pick_texts
    from annotator_core.pilot import draw_rows
    from annotator_core.specialists.warming import WARM_UP_TEXTS, list_lacking

    wanted = named.rows * named.rounds
    with open_source(named.input, named.text_column, named.format) as table:
        drawn = draw_rows(table.n_rows, wanted + WARM_UP_TEXTS, named.seed)
        texts = pick_texts(table, drawn.tolist())
    # In random order: the rows of a sorted table would make the rounds differ.
    order = np.random.default_rng(named.seed).permutation(len(texts))
    shuffled = [texts[row] for row in order]
    counted = shuffled[:wanted]
    a_round = max(len(counted) // named.rounds, 1)
    rounds = [counted[low : low + a_round] for low in range(0, len(counted) - a_round + 1, a_round)][: named.rounds]
    # From the end, where no round reads, and backwards: as a block of texts that no round finds its tokens of.
    first = list(dict.fromkeys(reversed(shuffled)))[:WARM_UP_TEXTS]
    return Drawn([*first, *list_lacking(first)], rounds)


def _measure(backend: str, spec: SpecialistSpec, drawn: Drawn, n_pipeline: int, advance: Advance) -> Speed:
    load_s, specialist = _time(partial(load_specialist, backend, spec))
    specialist.predict(drawn.warm_up)
    count_tokens = _open_counter(spec) if backend == "torch" else None
    one_by_one = _open_pipeline(spec) if backend == "torch" and n_pipeline else None
    ours, tokens, theirs = list[float](), list[float](), list[float]()
    for texts in drawn.rounds:
        seconds, _prediction = _time(partial(specialist.predict, texts))
        ours.append(len(texts) / seconds)
        if count_tokens:
            tokens.append(count_tokens(texts) / seconds)
        few = [text for text in texts if find_flaw(text) is None][:n_pipeline]
        if one_by_one and few:
            theirs.append(len(few) / _time(partial(one_by_one, few))[0])
        advance(1)  # between the rounds, so that no clock runs
    return Speed(spec.identity.name, load_s, tuple(ours), tuple(tokens), tuple(theirs))


def _time(call: Callable[[], Result]) -> tuple[float, Result]:
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def _open_counter(spec: SpecialistSpec) -> Callable[[Sequence[str]], int]:
    """Return what counts the tokens of texts as the specialist reads them: special ones too, cut texts as cut."""
    from annotator_core.specialists.folder import inspect_folder
    from annotator_core.specialists.loading import load_tokenizer
    from annotator_core.specialists.tokens import tokenise
    from annotator_core.specialists.torch_backend import choose_length

    card = inspect_folder(spec.folder)
    tokenizer, length = load_tokenizer(card), choose_length(spec, card)

    def count(texts: Sequence[str]) -> int:
        read = [text for text in texts if find_flaw(text) is None]
        return int(tokenise(tokenizer, read, length).lengths.sum())

    return count


def _open_pipeline(spec: SpecialistSpec) -> Callable[[Sequence[str]], object]:
    """Return transformers' own pipeline in fp32, which reads texts one by one, cut where the specialist cuts them."""
    import torch
    from transformers import pipeline

    from annotator_core.specialists.folder import inspect_folder
    from annotator_core.specialists.torch_backend import choose_length

    length = choose_length(spec, inspect_folder(spec.folder))
    device = 0 if torch.cuda.is_available() else -1
    classify = pipeline("text-classification", str(spec.folder), device=device, dtype=torch.float32)

    def read(texts: Sequence[str]) -> object:
        return [classify(text, truncation=True, max_length=length) for text in texts]

    read(["a text to warm up with"])
    return read


def _tell(bench: Bench) -> str:
    from annotator_core.cli.figures import format_table

    header = ["specialist", "texts/s", "slowest to fastest", "tokens/s", "pipeline one by one", "ratio", "loaded in"]
    return (
        f"{bench.rounds} rounds of {bench.rows_a_round:,} texts, medians.\n\n"
        f"{format_table(header, [_list_cells(speed) for speed in bench.speeds])}\n"
        f"Peak memory of this process with all of them: {bench.peak_mb:,.0f} MB.\n"
    )


def _list_cells(speed: Speed) -> list[str]:
    ours = statistics.median(speed.texts_per_s)
    theirs = statistics.median(speed.pipeline_per_s) if speed.pipeline_per_s else None
    return [
        speed.name,
        f"{ours:,.0f}",
        f"{min(speed.texts_per_s):,.0f} to {max(speed.texts_per_s):,.0f}",
        f"{statistics.median(speed.tokens_per_s):,.0f}" if speed.tokens_per_s else "-",
        "-" if theirs is None else f"{theirs:,.1f}",
        "-" if theirs is None else f"{ours / theirs:.1f}",
        f"{speed.load_s:.1f} s",
    ]
