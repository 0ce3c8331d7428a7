"""What an assessment warns of or remarks, in sentences that say what to do."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext_lazy

from labeling.quality.figures import Notice
from labeling.web.wording import word_number, word_percent

UNPROVEN = "verifier_unproven"
"""Warned of only where answers replace the specialists' labels: as one more vote they do no harm."""
SEEN_LABELS = "seen_labels"
"""Its values say how many of how many reviewed rows have a label that no audit measures."""
WARNINGS: Mapping[str, Promise] = {
    "specialist_at_chance": gettext_lazy(
        "%(name)s is right on %(share)s of the audited texts: no more than chance. Look at its label map, or leave it "
        "out of the next run: one such specialist makes most rows look hard."
    ),
    "verifier_worse": gettext_lazy(
        "On hard rows the verifier is right on %(share)s, the specialists on %(other)s: its answers make labels worse."
    ),
    UNPROVEN: gettext_lazy(
        "The audit does not show that the verifier's answers make labels better: on hard rows it is right on "
        "%(share)s, the specialists on %(other)s (hard rows audited: %(rows)s). Take its answers as one more vote in "
        "the next run, or draw more texts for the audit."
    ),
    "agreed_as_wrong": gettext_lazy(
        "Of the rows on which all specialists agree %(share)s are wrong, of the others %(other)s: agreement says "
        "little here. Let people review rows drawn at random, too."
    ),
    "learned_texts": ngettext_lazy(
        "%(n)s audited text has taught a specialist of the pool before: it is left out, and nothing is certified.",
        "%(n)s audited texts have taught a specialist of the pool before: they are left out, and nothing is certified.",
        "count",
    ),
    "missing_votes": ngettext_lazy(
        "%(n)s audited text has no vote of %(names)s, whose weights were removed: it is left out, and nothing is "
        "certified.",
        "%(n)s audited texts have no vote of %(names)s, whose weights were removed: they are left out, and nothing is "
        "certified.",
        "count",
    ),
    "unknown_class": ngettext_lazy(
        "%(n)s answer is of a class that the specialists of this run cannot give: %(names)s.",
        "%(n)s answers are of classes that the specialists of this run cannot give: %(names)s.",
        "count",
    ),
}
REMARKS: Mapping[str, Promise] = {
    "unfinished": ngettext_lazy(
        "%(n)s drawn text has no answer yet. A draw certifies only once it is answered whole.",
        "%(n)s drawn texts have no answer yet. A draw certifies only once it is answered whole.",
        "count",
    ),
    "in_order": gettext_lazy(
        "Texts come to people in the order of the data: until the draws are answered whole, the shares, too, are those "
        "of the first texts and of no random sample. Let the texts come in another order, or answer the draws whole."
    ),
    "appended": ngettext_lazy(
        "%(n)s text that was added to the data since should have been drawn, too: draw more texts to take it in.",
        "%(n)s texts that were added to the data since should have been drawn, too: draw more texts to take them in.",
        "count",
    ),
    "copies": ngettext_lazy(
        "%(n)s audited text stands in the data more than once: shares count it as often, a certificate once.",
        "%(n)s audited texts stand in the data more than once: shares count them as often, a certificate once.",
        "count",
    ),
    SEEN_LABELS: ngettext_lazy(
        "%(n)s reviewed label is of somebody who had seen the votes (confirmed in triage: %(together)s): no audit "
        "measures it, for the texts that an audit draws are answered without votes.",
        "%(n)s reviewed labels are of people who had seen the votes (confirmed in triage: %(together)s): no audit "
        "measures them, for the texts that an audit draws are answered without votes.",
        "count",
    ),
    "retired_class": ngettext_lazy(
        "%(n)s answer is of a retired class: %(names)s.", "%(n)s answers are of retired classes: %(names)s.", "count"
    ),
    "class_without_rows": ngettext_lazy(
        "No audited text is of the class %(names)s: nothing was measured of it.",
        "No audited text is of the classes %(names)s: nothing was measured of them.",
        "count",
    ),
}


def sentences_of(notices: Iterable[Notice], known: Mapping[str, Promise]) -> tuple[str, ...]:
    """The notices whose code is `known`, in a sentence each."""
    return tuple(str(known[one.code] % _words(one.values)) for one in notices if one.code in known)


def _words(values: Mapping[str, Any]) -> dict[str, Any]:
    """The notice's values as they are read: counts grouped, shares in percent, names in a row."""
    shares = {key: word_percent(values[key]) for key in ("share", "other") if key in values}
    names = ", ".join(values.get("names", ()))
    counts = {"n": word_number(values.get("count")), "rows": word_number(values.get("rows"))}
    counts["together"] = word_number(values.get("together"))
    return {**values, **shares, **counts, "names": names}
