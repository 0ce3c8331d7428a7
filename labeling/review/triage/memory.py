"""What a person's session remembers of the grid: the texts on it, and those that were left out of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.contrib.sessions.backends.base import SessionBase

from labeling.projects.models import Project

OUT_MOST = 1_000  # chosen: more than anybody leaves out in a day, and small enough for a session


@dataclass(frozen=True, slots=True)
class Memory:
    """`held` are on the person's grid; `out` were left out and do not come back to it: somebody reads them alone."""

    held: list[int] = field(default_factory=list)
    out: list[int] = field(default_factory=list)


def recall(session: SessionBase, project: Project) -> Memory:
    """What the session remembers of this project."""
    found = session.get(_name(project), {})
    return Memory(list(found.get("held", ())), list(found.get("out", ())))


def remember(
    session: SessionBase,
    project: Project,
    *,
    held: Sequence[int],
    out: Collection[int] = (),
    back: Collection[int] = (),
) -> None:
    """Keep what is on the grid now, and more texts that were left out; `back` may come to it again."""
    before = recall(session, project)
    left_out = [pk for pk in dict.fromkeys([*before.out, *out]) if pk not in set(back)]
    now = Memory(list(held), left_out[-OUT_MOST:])
    if now != before:
        session[_name(project)] = {"held": now.held, "out": now.out}


def _name(project: Project) -> str:
    return f"triage-{project.pk}"
