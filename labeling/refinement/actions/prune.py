"""Free the disk: versions that nobody needs any more lose their weights and keep their row and manifest."""

from dataclasses import dataclass

from labeling.projects.models import Project


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many versions lost their weights (or would lose them), and the bytes that this frees."""

    count: int
    bytes: int


def prune_versions(*, project: Project | None = None, dry_run: bool = False) -> Pruned:
    """Remove the weights of versions that are no champion, no parent of one and wait for nobody."""
    raise NotImplementedError
