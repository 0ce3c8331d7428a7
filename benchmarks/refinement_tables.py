"""The tables of the refinement benchmark's report, each over all finished configurations."""

from typing import Any

from benchmarks.main_job import CLASSES
from benchmarks.report import table

Figures = dict[str, Any]


def percent(value: float | None) -> str:
    """A share as a percentage with one digit."""
    return "-" if value is None else f"{100 * value:.1f}"


def show_ends(found: dict[str, Figures]) -> str:
    """Reviews, accuracy and seconds of each configuration."""
    header = (
        *("policy", "beta", "seed", "budget", "person", "rounds", "reviewed rows", "reviewed"),
        *("final", "right on accepted", "training s", "processor s"),
    )
    lines = []
    for each in found.values():
        final = each["final"]
        training = sum(one["training_seconds"] for one in each["rounds"])
        lines.append([
            *_named(each),
            *(each["budget"] or "-", f"{100 * each['person_right']:.0f}", len(each["rounds"])),
            *(f"{final['reviewed']:,}", percent(final["reviewed_share"])),
            *(percent(final["accuracy"]), percent(final["accepted_right"])),
            *(f"{training:.0f}", f"{each['cpu_seconds']:.0f}"),
        ])  # fmt: skip
    return table(header, lines)


def _named(each: Figures) -> tuple[str, str, str]:
    return each["policy"]["name"], f"{each['policy']['beta']:,}", str(each["policy"]["seed"])


def show_rounds(found: dict[str, Figures]) -> str:
    """The pool before and after each round."""
    header = (
        *("policy", "beta", "seed", "round", "at decision", "trained on (pool + random + replay)"),
        *("rest: rows", "majority", "average", "hard", "ahead: rows", "majority", "hard"),
    )
    lines = []
    for each in found.values():
        for one in each["rounds"]:
            rows = one["rows"]
            lines.append([
                *_named_whole(each), one["number"], f"{one['decisions']:,}",
                f"{rows['pool']} + {rows['random']} + {rows['replay']}",
                *_change(one, "rest", ("majority", "average", "hard")),
                *_change(one, "ahead", ("majority", "hard")),
            ])  # fmt: skip
    return table(header, lines)


def _named_whole(each: Figures) -> tuple[str, str, str]:
    policy, beta, seed = _named(each)
    marks = [f"budget {each['budget']:g}"] if each["budget"] else []
    marks += [f"person {100 * each['person_right']:.0f}"] if each["person_right"] < 1 else []
    return ", ".join([policy, *marks]), beta, seed


def _change(one: Figures, rows: str, names: tuple[str, ...]) -> list[str]:
    before, after = one[f"{rows}_before"], one[f"{rows}_after"]
    if not before["rows"]:
        return ["-"] * (1 + len(names))
    return [f"{before['rows']:,}", *(f"{percent(before[name])} → {percent(after[name])}" for name in names)]


def show_gates(found: dict[str, Figures]) -> str:
    """What the gate said of each challenger."""
    header = ("policy", "beta", "seed", "round", "gate rows (choose + decide)", "specialist", "verdict", "accuracy")
    lines = [
        [*_named_whole(each), one["number"], _gate_rows(one), *_judged(challenger)]
        for each in found.values()
        for one in each["rounds"]
        for challenger in one["challengers"]
    ]
    return table(header, lines)


def _gate_rows(one: Figures) -> str:
    return f"{one['rows']['choose']} + {one['rows']['decide']}"


def _judged(challenger: Figures) -> list[str]:
    before, after = challenger["accuracy_before"], challenger["accuracy_after"]
    verdict = f"{challenger['verdict'] or 'no gate'}, {challenger['state']}"
    if before is None or after is None:
        return [challenger["specialist"], verdict, "-"]
    taken = f"epoch {challenger['epoch']}, {challenger['share']:g}" if challenger["epoch"] else "-"
    return [challenger["specialist"], verdict, f"{percent(before)} → {percent(after)} ({taken})"]


def show_shares(found: dict[str, Figures]) -> str:
    """Classes of the accepted rows by generation, beside gold."""
    header = ("policy", "beta", "seed", "generation", "accepted rows", "right", " / ".join(CLASSES), "gold")
    lines = [
        [
            *(*_named_whole(each), one["number"], f"{one['accepted']['rows']:,}", percent(one["accepted"]["right"])),
            *(" / ".join(percent(x) for x in one["accepted"][name]) for name in ("shares", "gold_shares")),
        ]
        for each in found.values()
        for one in each["generations"]
    ]
    return table(header, lines)


def show_forgetting(found: dict[str, Figures]) -> str:
    """Each specialist on its own test, by generation."""
    names = list(next(iter(found.values()))["start"]["alone"])
    lines = [
        [*_named_whole(each), *(" → ".join(_tested(each, name)) for name in names)]
        for each in found.values()
        if each["rounds"]
    ]
    return table(("policy", "beta", "seed", *names), lines)


def _tested(each: Figures, name: str) -> list[str]:
    return [percent(one["source_test"].get(name)) for one in each["generations"]]


def show_curves(found: dict[str, Figures]) -> str:
    """Accuracy after every 500 decisions and at the end."""
    points = sorted({n for each in found.values() for n, _right in each["curve"] if n % 500 == 0})
    lines = []
    for each in found.values():
        at, (last, end) = dict(each["curve"]), each["curve"][-1]
        lines.append([*_named_whole(each), *(percent(at.get(n)) for n in points), f"{percent(end)} at {last:,}"])
    return table(("policy", "beta", "seed", *(f"{n:,}" for n in points), "end"), lines)
