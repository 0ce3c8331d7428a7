"""Table 6: beta, beta = infinity, and what is forgotten."""

from collections.abc import Mapping, Sequence

from annotator_core.reproduce.intervals import average
from annotator_core.reproduce.loops import REVIEWERS, Loops
from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.plot import Row, draw_dots
from annotator_core.reproduce.stream import BETAS, Passed


def write_loops(loops: Loops) -> str:
    """Return Table 6, beta = infinity last, with what is forgotten."""
    head = [
        "reviewer",
        "beta",
        "rounds",
        "reviewed",
        "accuracy",
        "accepted rows voted again",
        "hard: first, last quarter",
    ]
    head.append("own sources: before, after")
    return write_table(head, [_write_loop(who, beta, loops[who, beta]) for who in REVIEWERS for beta in BETAS])


def tell_loops(loops: Loops) -> str:
    """Return a sentence about what each beta ends at with a person, and over how many seeds."""
    told = []
    for beta in BETAS:
        passed = loops["person", beta]
        accuracy, reviewed = (average([getattr(each, name) for each in passed]) for name in ("accuracy", "reviewed"))
        told.append(f"beta {tell_beta(beta)} {accuracy.tell_percent()} with {reviewed.tell_percent()} reviewed")
    seeds = len(loops["person", None])
    count = "one seed, which shows no spread" if seeds == 1 else f"{seeds} seeds"
    return f"- Fine-tuning of linear specialists with a person ({count}): {', '.join(told)}.\n"


def _write_loop(who: str, beta: int | None, passed: Sequence[Passed]) -> list[str]:
    def tell(name: str) -> str:
        return average([getattr(each, name) for each in passed]).tell()

    return [
        who,
        tell_beta(beta),
        average([float(each.rounds) for each in passed]).tell(1.0, 0),
        tell("reviewed"),
        tell("accuracy"),
        tell("renewed"),
        f"{tell('hard_first')}, {tell('hard_last')}",
        f"{tell('home_before')}, {tell('home_after')}",
    ]


def draw_loops(loops: Loops) -> str:
    """Return the plot of Table 6: what is reviewed, and how right labels are."""
    title = "Fine-tuning on the way: a smaller beta asks less"
    series = {"reviewed": "reviewed", "accuracy": "accuracy", "renewed": "voted again"}
    return _draw(title, loops, series, low=0.0)


def draw_forgetting(loops: Loops) -> str:
    """Return the plot of how right the specialists are on their own sources, before the stream and after it."""
    title = "Forgetting: accuracy on the specialists' own sources"
    return _draw(title, loops, {"home_before": "before", "home_after": "after"}, low=0.4)


def _draw(title: str, loops: Loops, series: Mapping[str, str], *, low: float) -> str:
    rows = [
        Row(
            f"{who}, beta {tell_beta(beta)}",
            tuple(average([getattr(each, name) for each in loops[who, beta]]) for name in series),
        )
        for who in REVIEWERS
        for beta in BETAS
    ]
    return draw_dots(title, list(series.values()), rows, low=low, high=1.0)


def tell_beta(beta: int | None) -> str:
    """Return a number of hard rows as text.

    >>> tell_beta(2000), tell_beta(None)
    ('2,000', 'infinity')
    """
    return "infinity" if beta is None else f"{beta:,}"
