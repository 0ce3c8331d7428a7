"""docs/benchmarks/refinement.md from the figures of the finished configurations."""

import json
from collections.abc import Iterator
from statistics import mean

from benchmarks.refinement import KEPT, Setting, configurations
from benchmarks.refinement_tables import (
    Figures,
    percent,
    show_curves,
    show_ends,
    show_forgetting,
    show_gates,
    show_rounds,
    show_shares,
)
from benchmarks.report import write

HOW = """All figures are percentages unless they say otherwise. Every configuration labels the same rows of
tweet_sentiment_extraction (drawn by one seed from train.csv, none whose text a specialist has learned from) with the
same three specialists. A simulated person decides through the site's own queue: always the gold class, or (person 90)
with probability 0.9, the same on a text in every configuration. The person waits while votes or a round are at work, so
that runs repeat exactly; on a real site people go on meanwhile. Where a round has fewer than 100 deciding gate rows, a
simulated manager promotes the challengers that are right on more of them. `paper` and `ours` are the site's two named
policies; a budget is the share of rows that people review at most."""


def report(setting: Setting) -> None:
    """Write the report of the full benchmark, or show the one of a trial."""
    found = read(setting)
    if not found:
        print("Nothing is finished yet.")
        return
    text = text_of(found)
    if setting.is_full:
        write("refinement", "The loop on real data", text)
    else:
        print(text)


def read(setting: Setting) -> dict[str, Figures]:
    """The finished configurations by key, those of the plan first and in its order."""
    folder = KEPT if setting.is_full else setting.home
    every = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*-*.json"))}
    found = {key: each for key, each in every.items() if each["pool"] == setting.pool}
    planned = [each.key for each in configurations() if each.key in found]
    return {key: found[key] for key in [*planned, *(key for key in found if key not in planned)]}


def text_of(found: dict[str, Figures]) -> str:
    """The tables with what they say."""
    parts = [HOW, _where(found), _start(next(iter(found.values())))]
    parts += ["## Reviews and accuracy", EXPECTED, show_ends(found), *_means(found), *_verdicts(found)]
    parts += ["## Rounds", ROUNDS, show_rounds(found), *_gains(found), "## The gate", GATE, show_gates(found)]
    parts += [
        "## Classes of the accepted rows",
        SHARES,
        show_shares(found),
        "## Forgetting",
        FORGETTING,
        show_forgetting(found),
    ]
    return "\n\n".join([*parts, "## Accuracy after n decisions", CURVE, show_curves(found)])


EXPECTED = """Expected from the trials that led to this design, with another third specialist and 46% of the rows hard:
a round lifts the vote on the rows ahead by 8 to 12 points, and reviews fall from 46% to 33-40%, to 0.7 to 0.9 of those
without a round."""
ROUNDS = """Before and after each round, by the pool that voted before and the one that votes after: all rows that
nobody had decided when it began (the rest), and under `paper` also those not voted on yet (ahead). On the rest the vote
is right more often than on all rows from the start, since the hard rows have left it."""
GATE = "Accuracy on the deciding gate rows, champion then challenger (taken epoch, share of the challenger)."
SHARES = """Shares of negative / neutral / positive among the rows that stand accepted under each generation, and in
their gold labels: a gap that grows from generation to generation would be bias that the loop amplifies."""
FORGETTING = "Accuracy of each specialist on the first 1,000 rows of its own source's test set, by generation."
CURVE = """Undecided rows take the answer of the newest pool by the policy's own aggregator, whether or not the site has
asked it about them."""


def _where(found: dict[str, Figures]) -> str:
    machines = sorted({each["machine"] for each in found.values()})
    return "The configurations were measured on " + " And on ".join(machines)


def _start(first: Figures) -> str:
    start = first["start"]
    alone = ", ".join(f"{name} {percent(right)}" for name, right in start["alone"].items())
    return (
        f"{first['rows']:,} rows. Before any round: alone {alone}; majority {percent(start['majority'])}, average "
        f"{percent(start['average'])}; {percent(start['hard'])} of the rows are hard, agreed rows are right in "
        f"{percent(start['agreed_right'])}. A person who decides all hard rows and nobody who learns: final accuracy "
        f"{percent(start['with_person'])}."
    )


def _verdicts(found: dict[str, Figures]) -> Iterator[str]:
    """Whether ours reaches the paper's final accuracy with fewer reviews, at the same beta, seed and person."""
    for ours in found.values():
        paper = next((each for each in found.values() if _is_paper_of(each, ours)), None)
        if ours["policy"]["name"] != "ours" or paper is None:
            continue
        goal, end = paper["final"], ours["final"]
        passed = next((n for n, right in ours["curve"] if right >= goal["accuracy"]), None)
        crossing = (
            "Its curve does not reach the paper's end."
            if passed is None
            else f"Its curve passes the paper's end at {passed:,} decisions (the paper: {goal['decisions']:,})."
        )
        same = max(n for n, _right in ours["curve"] if n <= goal["decisions"])
        at_same = f"After {same:,} decisions, about as many as the paper's run took, its curve stands at "
        crossing += f" {at_same}{percent(dict(ours['curve'])[same])}." if same < end["decisions"] else ""
        is_met = end["accuracy"] >= goal["accuracy"] and end["reviewed"] < goal["reviewed"]
        verdict = "at least as accurate with fewer reviews" if is_met else "NOT at least as accurate with fewer reviews"
        yield (
            f"`{ours['key']}`: {percent(end['accuracy'])} with {end['reviewed']:,} reviewed rows against the paper's "
            f"{percent(goal['accuracy'])} with {goal['reviewed']:,}: {verdict}. {crossing}"
        )


def _means(found: dict[str, Figures]) -> Iterator[str]:
    """Both policies over the seeds of beta 1,000, with a person who is always right."""
    hard = next(iter(found.values()))["start"]["hard"]
    for policy, budget in (("paper", None), ("ours", 33.0)):
        names = {
            each.key for each in configurations() if (each.policy, each.beta, each.budget) == (policy, 1_000, budget)
        }
        finals = [each["final"] for key, each in found.items() if key in names and each["person_right"] == 1.0]
        if len(finals) > 1:
            reviewed, ends = ([one[name] for one in finals] for name in ("reviewed_share", "accuracy"))
            yield (
                f"`{policy}` at beta 1,000 over {len(finals)} seeds: {_spread(reviewed)} reviewed, "
                f"{percent(hard)} without a round; final accuracy {_spread(ends)}."
            )


def _spread(values: list[float]) -> str:
    """Mean and range."""
    return f"{percent(mean(values))} ({percent(min(values))} to {percent(max(values))})"


def _is_paper_of(paper: Figures, ours: Figures) -> bool:
    beta_seed = ("beta", "seed")
    return paper["policy"]["name"] == "paper" and all(
        [paper["policy"][each] == ours["policy"][each] for each in beta_seed]
        + [paper["person_right"] == ours["person_right"]]
    )


def _gains(found: dict[str, Figures]) -> Iterator[str]:
    """The first round's gain on the rows that the paper's run had not voted on yet, against what was expected."""
    for key, each in found.items():
        first = next(iter(each["rounds"]), None)
        if first and each["policy"]["name"] == "paper" and first["ahead_before"]["rows"]:
            gain = 100 * (first["ahead_after"]["majority"] - first["ahead_before"]["majority"])
            where = "below" if gain < 8 else "above" if gain > 12 else "within"
            yield (
                f"`{key}`: the first round changes the majority on the rows ahead by {gain:+.1f} points "
                f"({where} the 8 to 12 expected)."
            )
