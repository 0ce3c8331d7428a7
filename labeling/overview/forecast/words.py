"""One figure of a forecast in words, and whether it was measured or taken from elsewhere."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from annotator_core.verifiers.forecast import ENOUGH, Known
from labeling.runs.pilots.figures import Counted
from labeling.web.wording import word_number, word_percent


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure in words, and what it rests on; `is_measured` where it was found in this project."""

    name: str
    value: str
    source: str
    is_measured: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A share that was measured, and where: `by` is for people."""

    counted: Counted
    by: str


def best_known(found: list[Found], otherwise: Known) -> tuple[Known, str]:
    """The share that was measured on the most rows, and by what; what is taken from elsewhere where all are too few."""
    best = max(found, key=lambda one: one.counted.rows, default=None)
    if best is None or best.counted.rows < ENOUGH:
        return otherwise, ""
    return Known(best.counted.hits / best.counted.rows, best.counted.rows), best.by


def accuracy_fact(name: str, known: Known, measured_by: str) -> Fact:
    """A share with the rows that it was measured on."""
    if known.rows:
        words = {"by": measured_by, "n": word_number(known.rows)}
        return Fact(name, word_percent(known.share), _("%(by)s, %(n)s rows") % words, True)
    return Fact(name, word_percent(known.share), _("not measured yet; from the reference data"), False)
