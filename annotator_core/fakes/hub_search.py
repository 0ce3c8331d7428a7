"""The fake hub's search, and what goes wrong on the way to it: a script of errors, delays, drops and garbage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event


@dataclass(slots=True)
class Step:
    """What the next requests get whose path holds ``part``, in place of an answer; ``times`` of them.

    delay_s: before it is sent, ended early by setting ``release``. is_dropped: the connection closes without a word.
    """

    part: str = ""
    status: int = 503
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    is_dropped: bool = False
    times: int = 1
    release: Event = field(default_factory=Event)

    def wait(self) -> None:
        """Let the delay pass."""
        self.release.wait(self.delay_s)


def take_step(steps: Sequence[Step], path: str) -> Step | None:
    """Return the first step that this path meets and count it; None where the hub behaves."""
    for step in steps:
        if step.times > 0 and step.part in path:
            step.times -= 1
            return step
    return None


def find_models(
    summaries: Sequence[Mapping[str, object]], query: Mapping[str, Sequence[str]]
) -> list[Mapping[str, object]]:
    """Return what ``GET /api/models`` answers: names that hold the words, of the task asked for, sorted, limited."""
    words = query.get("search", [""])[0].casefold().split()
    task, sort = query.get("pipeline_tag", [""])[0], query.get("sort", [""])[0]
    found = [
        one
        for one in summaries
        if all(word in str(one["id"]).casefold() for word in words) and task in ("", one["pipeline_tag"])
    ]
    if sort in ("downloads", "likes"):
        found.sort(key=lambda one: -int(str(one[sort])))
    return found[: int(query.get("limit", ["100"])[0])]
