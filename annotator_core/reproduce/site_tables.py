"""Fine-tuning with encoders, as measured through the site: seeds of one plan as a mean with its interval."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from annotator_core.errors import BadInput
from annotator_core.reproduce.intervals import Mean, average
from annotator_core.reproduce.markdown import write_table
from annotator_core.reproduce.people import tell_share

_OURS: Final = "ours"
_PAPER: Final = "paper"
_RULE: Final = "the paper's rule"


@dataclass(frozen=True, slots=True)
class Group:
    """All seeds of one plan. budget: percent of the rows, None for none; person_right: 0 to 1; the rest are means.

    reviewed, accuracy, accepted: shares 0 to 1 of rows reviewed, of right labels, and of right ones among accepted.
    """

    policy: str
    beta: int
    person_right: float
    budget: float | None
    rows: int
    seeds: int
    rounds: Mean
    reviewed: Mean
    accuracy: Mean
    accepted: Mean


def read_site(folder: Path | None) -> tuple[Group, ...]:
    """Return the groups of the JSON files of a folder, by policy, beta and person; none without a folder.

    Raises BadInput for a file that is no figure of `make bench ARGS=refinement`.
    """
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")) if folder else ():
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            policy = run["policy"]
            key = (policy["name"], policy["beta"], -run["person_right"], run["budget"] or 0, run["rows"])
            found.setdefault(key, []).append({**run["final"], "rounds": len(run["rounds"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{path} holds no figures of `make bench ARGS=refinement`.") from error
    return tuple(_group(key, found[key]) for key in sorted(found))


def _group(key: tuple[Any, ...], runs: Sequence[Mapping[str, Any]]) -> Group:
    policy, beta, minus_right, budget, rows = key
    names = ("rounds", "reviewed_share", "accuracy", "accepted_right")
    means = [average([float(run[name]) for run in runs]) for name in names]
    return Group(policy, beta, -minus_right, budget or None, rows, len(runs), *means)


def write_site_loops(groups: Sequence[Group]) -> list[str]:
    """Return the part about encoders; empty without any."""
    if not groups:
        return []
    head = ["policy", "beta", "seeds", "budget", "person right", "rows", "rounds", "reviewed", "final accuracy"]
    head.append("right on accepted")
    told = "With encoders, through the site (refinement.md tells how): means over seeds. One seed has no interval.\n"
    return [told, write_table(head, [_write_group(each) for each in groups])]


def tell_site(groups: Sequence[Group]) -> str:
    """Return a sentence for each beta about what ours and the paper's rule end at, and over how many seeds.

    Empty where nothing was measured with a person who is right.
    """
    by_beta: dict[int, dict[str, Group]] = {}
    for each in groups:
        if each.person_right == 1:
            by_beta.setdefault(each.beta, {})[each.policy] = each
    told = [
        f"at beta {beta:,} {_tell_one('ours', pair[_OURS])}, {_tell_one(_RULE, pair[_PAPER])}"
        for beta, pair in sorted(by_beta.items())
        if {_OURS, _PAPER} <= set(pair)
    ]
    if not told:
        return ""
    return f"- Fine-tuning of encoders, through the site: {'; '.join(told)}. One seed shows no spread.\n"


def _tell_one(name: str, group: Group) -> str:
    seeds = "one seed" if group.seeds == 1 else f"{group.seeds} seeds"
    return f"{name} ends at {group.accuracy.tell_percent()} with {group.reviewed.tell_percent()} reviewed, {seeds}"


def _write_group(group: Group) -> list[str]:
    return [
        group.policy,
        f"{group.beta:,}",
        str(group.seeds),
        "-" if group.budget is None else f"{group.budget:.0f}%",
        tell_share(group.person_right).removesuffix("%"),
        f"{group.rows:,}",
        group.rounds.tell(1.0, 0),
        group.reviewed.tell(),
        group.accuracy.tell(),
        group.accepted.tell(),
    ]
