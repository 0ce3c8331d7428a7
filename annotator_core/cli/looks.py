"""Looking again at the same answers: every look has its share of the allowed risk, so that all of them together hold.

Source: docs/benchmarks/contract.md, "Looking again and again": who stops at the first promise of 30 is fooled in 21 of
200 cases where each look is taken for the only one.
"""

import argparse
import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from annotator_core.arrays import BoolArray, IntArray
from annotator_core.cli.tables import Table, read_windows
from annotator_core.errors import BadInput
from annotator_core.spool import find_groups
from annotator_core.types import ABSTAIN

# scipy takes a second to import: only what certifies pays for it.
if TYPE_CHECKING:
    from annotator_core.contract.certify import Certificate, Scores

LOOKS_HELP: Final = """\
looking again: the confidence holds for all looks at the same answers together, however often somebody looks and stops
at the first promise. Look 1, 2, 3 ... gets 6 / (pi look)^2 of the allowed risk, so at 95 percent the looks ask for
96.96, 99.24, 99.66 ... percent: look seldom, when many more answers are there."""


def add_look(parser: argparse._ActionsContainer, default: str) -> None:
    """Add which look this is; default: what the help says of it."""
    parser.add_argument(
        "--look", type=int, metavar="N", help=f"this is look N at the same people's answers (default: {default})"
    )


def read_look(named: argparse.Namespace) -> int | None:
    """Return the number of the look, from 1, None where none was given; raises BadInput under 1."""
    if named.look is not None and named.look < 1:
        raise BadInput(f"--look counts from 1, not {named.look}.")
    return None if named.look is None else int(named.look)


def read_confidence(named: argparse.Namespace) -> float:
    """Return the confidence as a share, 0.5 to 1, of the percentage that was given; raises BadInput outside 50 to 100.

    Who writes 0.95 means 95: taken as it stands the certificate would promise next to nothing.
    """
    percent = float(named.confidence)
    if not 50 <= percent < 100:
        raise BadInput(f"--confidence is a percentage from 50 up and under 100, such as 95, not {percent:g}.")
    return percent / 100


def certify_look(
    scores: "Scores", is_right: BoolArray, *, target_error: float, confidence: float, look: int | None
) -> "Certificate":
    """Return the certificate of one look, so that all looks together hold with the confidence, 0 to 1.

    scores, is_right (n,), target_error and what it raises: as of `certify`. look: from 1; rows still needed are counted
    at the confidence that the next look will ask for. None: valid at every look, as with always_valid.
    """
    from annotator_core.contract.certify import certify

    if look is None:
        return certify(scores, is_right, target_error=target_error, confidence=confidence, always_valid=True)
    (found,) = certify_at(
        look, confidence, lambda level: [certify(scores, is_right, target_error=target_error, confidence=level)]
    )
    return found


def certify_at(look: int, confidence: float, ask: Callable[[float], "Sequence[Certificate]"]) -> "list[Certificate]":
    """Return the certificates that `ask` gives at a look, from 1; their needs are counted at the next one.

    confidence: 0 to 1, of all looks together. ask: gets the confidence of one. Raises BadInput as `confidence_at` does.
    """
    from annotator_core.contract.certify import confidence_at

    found, after = (ask(confidence_at(number, confidence)) for number in (look, look + 1))
    return [
        one if one.rows_needed is None else replace(one, rows_needed=max(one.rows_needed, later.rows_needed or 0))
        for one, later in zip(found, after, strict=True)
    ]


def tell_look(look: int | None, confidence: float) -> str:
    """Return in a sentence or two what this look and the next one cost; look as of `certify_look`, confidence 0 to 1.

    Raises BadInput as `confidence_at` does.
    """
    from annotator_core.contract.certify import confidence_at

    if look is None:
        return f"It holds with {confidence:.0%} confidence at every look, while labels and scores stay as they are.\n"
    now, after = (f"{100 * confidence_at(number, confidence):.5g}%" for number in (look, look + 1))
    return (
        f"This was look {look} at these answers, at {now}: so all looks together hold with {confidence:.0%} "
        f"confidence. The next one is look {look + 1}, at {after}.\n"
    )


def name_look(what: Mapping[str, object], answers: bytes) -> str:
    """Return 32 hex digits that stand for a look: the same question (JSON values) about the same answers is no new one.

    answers: of people, in the order of the table.
    """
    hasher = hashlib.blake2b(json.dumps(what, sort_keys=True).encode(), digest_size=16)
    hasher.update(answers)
    return hasher.hexdigest()


def list_answered(table: Table, gold: IntArray) -> IntArray:
    """Return a number (a,) for each different text that people answered, ascending; equal texts have the same anywhere.

    gold (n,): class index or ABSTAIN for each row. Raises BadInput as `read_windows` does.
    """
    low, found = 0, [np.empty(0, dtype=np.int64)]
    for window in read_windows(table):
        rows = np.flatnonzero(gold[low : low + len(window.texts)] != ABSTAIN)
        found.append(find_groups([window.texts[row] for row in rows]))
        low += len(window.texts)
    return np.unique(np.concatenate(found))


def count_look(
    kept: Mapping[str, Any], answered: IntArray, name: str, given: int | None
) -> tuple[int, dict[str, object]]:
    """Return the number of a look, from 1, and what is to be kept of all looks (JSON values).

    kept: what was kept, empty at first. answered (a,): of `list_answered`. Looks at answers to other texts are
    forgotten; one text that was among them is enough to go on counting, for what it showed has been seen, whatever else
    changed. name: of `name_look`. given: the number that a person gave; a new look has at least that one.
    """
    known = np.frombuffer(base64.b64decode(kept.get("answered", "")), dtype="<i8")
    is_shared = bool(np.isin(answered, known).any())
    looks: dict[str, int] = dict(kept["looks"]) if is_shared else {}
    if name not in looks:
        looks[name] = max(given or 1, max(looks.values(), default=0) + 1)
    together = np.union1d(known, answered) if is_shared else answered
    return looks[name], {"answered": base64.b64encode(together.astype("<i8").tobytes()).decode(), "looks": looks}
