"""Reviews at equal accuracy, in words, a table and a plot."""

from collections.abc import Sequence
from math import isnan
from typing import Final

import numpy as np

from annotator_core.reproduce.intervals import Mean, average
from annotator_core.reproduce.markdown import percent, write_table
from annotator_core.reproduce.people import tell_share
from annotator_core.reproduce.plot import Row, draw_dots
from annotator_core.reproduce.study import Measured

RULES: Final = {
    "order": "order only",
    "site": "as the site",
    "race": "race",
    "answers": "race + answers",
    "texts": "race + answers + texts",
}
GOAL: Final = 0.7
"""The share of the paper's reviews that is aimed at."""
_SMALL_AUDIT: Final = 0.1
_LOPSIDED: Final = 0.95
_CLEARLY: Final = 0.05

_INTRODUCTION: Final = """\
The paper's rule sends every row on which the specialists differ to a person, {person}. Each of our
rules reviews until as many rows are right, and what it needs is shown as a share of the paper's reviews (below 100%:
fewer). Audited rows count as reviews. The audit has 2% of the rows, at least 50, at most a fifth: fixed beforehand and
kept after trials with larger ones. The rules that learn on were designed on trials with eight to eleven of these sets,
so that their figures there are a little flattered. No rule sees gold beyond audited and reviewed rows; only where to
stop is known from gold, since the comparison is at equal accuracy.

- *order only*: least margin of the averaged probability first; no audit.
- *as the site*: the site's race needs 50 rows that fit, and a third of an audit fits, so that its audit is three times
  as large and two thirds of it certify; at 100, 400, 1,600 and 6,400 reviewed rows logistic stacking learns from them,
  too, and takes over where it predicts all answers better (decision 0047).
- *race*: the race's winner on the audit labels and orders the rows; the whole audit fits it, and can certify nothing.
- *race + answers*: four times on the way the winner, or logistic stacking where cross-validation prefers it, is fitted
  on all answers so far, those of the audit included.
- *race + answers + texts*: a logistic regression reads the texts of reviewed rows, too. The site does this by rounds
  of refinement instead (Table 6).
- *least*: errors of the majority that have to be repaired one by one; no order of rows needs fewer reviews with the
  majority's labels.
"""

_IMPERFECT: Final = """
A reviewed row takes the person's answer, right or wrong, and rules learn from it; the answer to a row is the same under
every rule. The accuracy to reach is that of the paper's rule with this person. A rule that reaches it nowhere, or only
with the last row, counts with all rows: {times} of {all} times over sets, seeds and rules.
"""


def write_equal(found: Sequence[Measured]) -> str:
    """Return the section: what is compared, the table, and why the goal is missed where it is."""
    head = ["set", "rows", "accuracy", "paper reviews", *RULES.values(), "least", "audit, rows", "winners of the race"]
    rows = [_write_row(each) for each in found]
    means = {rule: average([share_of_paper(each, rule).value for each in found]) for rule in (*RULES, "least")}
    mean_row = ["**mean of sets**", "", "", "", *(f"**{means[rule].tell()}**" for rule in RULES)]
    rows.append([*mean_row, f"**{percent(means['least'].value)}**", "", ""])
    return f"{_introduce(found)}\n{write_table(head, rows)}\n{tell_goal(found)}\n"


def _introduce(found: Sequence[Measured]) -> str:
    if found[0].is_person_gold:
        return _INTRODUCTION.format(person="whose label is gold here")
    needed = [each[rule] == each["rows"] for measured in found for each in measured.equal for rule in RULES]
    told = _INTRODUCTION.format(person=f"who is right on {tell_share(found[0].person_accuracy)} of the rows")
    return told + _IMPERFECT.format(times=f"{sum(needed):,}", all=f"{len(needed):,}")


def share_of_paper(measured: Measured, rule: str) -> Mean:
    """Return the reviews of a rule as a share of the paper's, over seeds."""
    return average([each[rule] / each["paper"] if each["paper"] else float("nan") for each in measured.equal])


def find_best(found: Sequence[Measured]) -> tuple[str, Mean]:
    """Return the rule that needs the fewest reviews on average over the sets, and that average."""
    means = {rule: average([share_of_paper(each, rule).value for each in found]) for rule in RULES}
    best = min(means, key=lambda rule: means[rule].value)
    return best, means[best]


def tell_verdict(found: Sequence[Measured]) -> str:
    """Return whether 70% is reached on average, in a sentence or two."""
    best, mean = find_best(found)
    verdict = "reached" if mean.value <= GOAL else "NOT reached"
    race, site = (average([share_of_paper(each, rule).value for each in found]) for rule in ("race", "site"))
    told = f"**At most {GOAL:.0%} of the paper's reviews: {verdict} on average.** The best rule, *{RULES[best]}*, "
    told += f"needs {percent(mean.value)}% of them, the race alone {percent(race.value)}%, "
    told += f"the site {percent(site.value)}%."
    return told + _tell_lopsided(found, best)


def tell_goal(found: Sequence[Measured]) -> str:
    """Return the verdict, and set by set why 70% is missed where it is."""
    best, _ = find_best(found)
    lines = [f"- {each.dataset.title}: {_explain(each, best)}\n" for each in found]
    return f"{tell_verdict(found)}\n\n{''.join(lines)}"


def _tell_lopsided(found: Sequence[Measured], rule: str) -> str:
    """Return the average without sets of one class, where a rule that never names the rare class looks accurate."""
    lopsided = [np.bincount(each.votes.gold).max() / len(each.votes) > _LOPSIDED for each in found]
    if not any(lopsided):
        return ""
    names = ", ".join(each.dataset.title for each, is_out in zip(found, lopsided, strict=True) if is_out)
    even = [share_of_paper(each, rule).value for each, is_out in zip(found, lopsided, strict=True) if not is_out]
    told = f" Without {names}, where one class has over {_LOPSIDED:.0%} of the rows so that accuracy says little of the"
    return f"{told} other, it needs {percent(average(even).value)}%."


def _explain(measured: Measured, rule: str) -> str:
    needed, least = share_of_paper(measured, rule).value, share_of_paper(measured, "least").value
    audit = share_of_paper(measured, "audit").value
    told = f"{percent(needed, 1 if percent(needed, 0) == percent(GOAL, 0) else 0)}%"
    if isnan(needed):
        return "the paper's rule reviews nothing."
    if needed <= GOAL:
        return f"{told}, reached."
    reasons = _name_better(measured, rule)
    if least > GOAL and measured.is_person_gold:
        reasons.append(f"the majority is wrong on {percent(least, 0)}% of the rows that the paper reviews")
    if audit > _SMALL_AUDIT:
        reasons.append(f"the audit alone is {percent(audit, 0)}% of the paper's reviews")
    wrong = float(np.mean([each["agreed_wrong"] for each in measured.rules]))
    error = "error" if measured.is_person_gold else "error that the person mends"
    reasons.append(
        f"{percent(least, 0)}% would do if the order knew every {error}; votes that differ tell less than that, and "
        f"{percent(wrong, 0)}% of agreed rows are wrong"
    )
    return f"{told}, not reached: {'; '.join(reasons[:2])}."


def _name_better(measured: Measured, rule: str) -> list[str]:
    """Return which other rule of ours does clearly better on this set, if one does."""
    shares = {other: share_of_paper(measured, other).value for other in RULES}
    other = min(shares, key=lambda name: shares[name])
    if shares[rule] - shares[other] <= _CLEARLY:
        return []
    return [f"*{RULES[rule]}* does badly here, *{RULES[other]}* needs {percent(shares[other], 0)}%"]


def _write_row(measured: Measured) -> list[str]:
    first = measured.equal[0]
    reached = [each["accuracy"] for each in measured.equal]
    return [
        measured.dataset.title,
        f"{first['rows']:,.0f}",
        average(reached[:1] if measured.is_person_gold else reached).tell(),
        f"{first['paper']:,.0f} ({percent(first['paper'] / first['rows'], 0)}%)",
        *(share_of_paper(measured, rule).tell(digits=0) for rule in RULES),
        percent(share_of_paper(measured, "least").value, 0),
        f"{first['audit']:,.0f}",
        ", ".join(f"{name} {measured.winners.count(name)}" for name in sorted(set(measured.winners))),
    ]


def draw_equal(found: Sequence[Measured]) -> str:
    """Return the plot of the table."""
    rows = [Row(each.dataset.title, tuple(share_of_paper(each, rule) for rule in RULES)) for each in found]
    title = "Reviews for the accuracy of the paper's rule, as a share of its reviews (dashed: 70% and 100%)"
    return draw_dots(title, list(RULES.values()), rows, low=0.25, high=1.5, marks=(GOAL, 1.0))
