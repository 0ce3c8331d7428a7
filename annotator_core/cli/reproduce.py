"""``python -m annotator_core reproduce``: the paper's tables, and our rules beside them, on data with gold labels."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotator_core.cli.arguments import Subparsers, add_command
from annotator_core.cli.exits import Exit
from annotator_core.cli.outputs import write_result
from annotator_core.cli.pool import HubAccess
from annotator_core.cli.progress import show_parts
from annotator_core.cli.reproduce_models import Models, add_models, open_models, read_models
from annotator_core.errors import BadInput

if TYPE_CHECKING:
    from annotator_core.reproduce.asking import Asked
    from annotator_core.reproduce.sets import DataSet
    from annotator_core.reproduce.study import Measured, Say, Settings

BETA: Final = "beta"
_QUICK_ROWS: Final = 500
_EXAMPLES: Final = """\
  python -m annotator_core reproduce --data data --specialists specialists --out results
  ... --quick                                      500 rows a set, 2 seeds, without fine-tuning: a look
  ... --only trec6 --only irony                    these sets only; beta is the table of fine-tuning
  ... --set mine=reviews.csv                       a file of yours: columns text and label, sentiment or toxicity
  ... --person-accuracy 0.9                        a person who is wrong in one row of ten, in every table
  ... --endpoint http://127.0.0.1:8000/v1 --endpoint-allow 127.0.0.1 --model qwen
                                                   a real LLM: alone (zero-shot, one-shot, chain of thought), and
                                                   as the verifier of every policy, on 250 rows a set
  ... --endpoint URL --model a --model b --model c --asked 500
                                                   their majority, too; a is the verifier

output: report.md with its plots in OUT; votes, figures and answers are kept in OUT/kept, so that a command that was
killed goes on when it is run again, no question is put twice, and a second report takes seconds.

specialists: training them takes about 10 minutes, once, in a clone of the repository (an installed engine has no script
for it): python -m benchmarks.train_specialists --datasets data --out specialists --skip-measure
"""


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    """Return the parser of ``reproduce``."""
    parser = add_command(
        commands,
        "reproduce",
        purpose="measure the paper's tables and our rules on data with gold labels",
        description="Measure the paper's tables and our rules on data with gold labels, with real specialists.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="folder of the data sets")
    parser.add_argument("--specialists", required=True, type=Path, metavar="DIR", help="folder of fine-tuned encoders")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the report")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a set, or beta; repeat for more")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FILE", help="one more set, as CSV")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="of rows from kept votes (default: 5)")
    parser.add_argument("--rows", type=int, default=2_000, metavar="N", help="at most so many of a set (default: 2000)")
    parser.add_argument("--quick", action="store_true", help=f"{_QUICK_ROWS} rows, 2 seeds, no fine-tuning")
    parser.add_argument(
        "--person-accuracy", type=float, default=1.0, metavar="P", help="in every table (default: 1, gold)"
    )
    parser.add_argument("--prices", type=Path, metavar="FILE", help="JSON: model to in, out (dollars a million), date")
    parser.add_argument("--site-figures", type=Path, metavar="DIR", help="JSON files of `make bench ARGS=refinement`")
    add_models(parser)
    return parser


def run(named: argparse.Namespace, hub: HubAccess) -> Exit:
    """Write the report and its path; raises AnnotatorError's children."""
    del hub
    from annotator_core.reproduce.asking import STRATEGIES
    from annotator_core.reproduce.costs import find_command_bytes, read_prices
    from annotator_core.reproduce.loops import SEEDS, measure_loops
    from annotator_core.reproduce.report import Material, write_report
    from annotator_core.reproduce.sets import SETS
    from annotator_core.reproduce.site_tables import read_site
    from annotator_core.reproduce.specialists import list_missing
    from annotator_core.reproduce.study import study_sets

    settings, datasets, models = _read_settings(named), _choose_sets(named), read_models(named)
    prices, site = read_prices(named.prices), read_site(named.site_figures)
    missing = list_missing(datasets, settings.folders.trained)
    n_present = sum(each.name not in missing for each in datasets)
    if missing and not n_present:
        raise BadInput(f"There is no set to measure: {'; '.join(missing.values())}.")
    left_out = {each.name: "not asked for (--only)" for each in SETS if each.name not in {one.name for one in datasets}}
    n_passes = min(SEEDS, settings.seeds) if _wants_beta(named) else 0
    n_asked = len(STRATEGIES) * len(models.names) if models else 0
    with show_parts(n_present * (1 + settings.seeds + n_asked) + n_passes) as say:
        found, _missing = study_sets(datasets, settings, say)
        loops = measure_loops(settings.folders, n_passes, settings.person_accuracy, say) if n_passes else None
        found, asked = _ask(found, models, settings, say) if models else (found, None)
    material = Material(
        found, {**missing, **left_out}, loops, asked, prices, site, named.person_accuracy,
        find_command_bytes(settings.folders.kept),
    )  # fmt: skip
    write_result(f"{write_report(material, named.out)}\n")
    return Exit.DONE


def _ask(
    found: "Sequence[Measured]", models: Models, settings: "Settings", say: "Say"
) -> "tuple[tuple[Measured, ...], tuple[Asked, ...]]":
    from annotator_core.reproduce.asking import ask_models

    with open_models(models, settings.folders.kept) as (askers, ledger):
        return ask_models(found, askers, ledger, settings, say, count=models.rows)


def _wants_beta(named: argparse.Namespace) -> bool:
    return BETA in named.only or not (named.only or named.quick)


def _read_settings(named: argparse.Namespace) -> "Settings":
    from annotator_core.reproduce.specialists import Folders
    from annotator_core.reproduce.study import Settings

    if named.seeds < 1 or named.rows < 100:
        raise BadInput("--seeds must be at least 1 and --rows at least 100.")
    if not 0.0 < named.person_accuracy <= 1.0:
        raise BadInput(f"--person-accuracy must be above 0 and at most 1, not {named.person_accuracy}.")
    folders = Folders(named.data, named.specialists, named.out / "kept")
    if named.quick:
        return Settings(folders, min(2, named.seeds), min(_QUICK_ROWS, named.rows), named.person_accuracy)
    return Settings(folders, named.seeds, named.rows, named.person_accuracy)


def _choose_sets(named: argparse.Namespace) -> tuple["DataSet", ...]:
    from annotator_core.reproduce.sets import find_sets, read_given

    given = []
    for entry in named.set:
        name, found, path = entry.partition("=")
        if not (name and found and path):
            raise BadInput(f"--set {entry!r} must be NAME=FILE.")
        given.append(read_given(name, Path(path)))
    names = [name for name in named.only if name != BETA]
    if named.only and not names:
        return tuple(given)
    return (*find_sets(names), *given)
