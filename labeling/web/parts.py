"""Values that the parts of a page are drawn from."""

from dataclasses import dataclass
from typing import Literal

PartKind = Literal["accepted", "review", "verified", "decided", "asking", "pending", "dead"]
StepState = Literal["done", "active", "todo", "attention"]


@dataclass(frozen=True, slots=True)
class SplitPart:
    """One part of a split bar: `count` rows of a kind."""

    label: str
    count: int
    kind: PartKind
    href: str = ""


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step of the sample's way through a project."""

    label: str
    value: str
    hint: str = ""
    href: str = ""
    state: StepState = "todo"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab; `count` stands beside the label."""

    label: str
    href: str
    is_current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """A split part with its place on the bar: `x` and `width` are SVG percentages such as "12.5%"."""

    part: SplitPart
    x: str
    width: str
    share: float


def draw_parts(parts: list[SplitPart]) -> list[DrawnPart]:
    """The parts laid side by side in their order; their widths add up to 100% where anything is counted."""
    total = sum(part.count for part in parts) or 1
    drawn, before = [], 0
    for part in parts:
        share = part.count / total
        drawn.append(DrawnPart(part, f"{100 * before / total:.3f}%", f"{100 * share:.3f}%", share))
        before += part.count
    return drawn
