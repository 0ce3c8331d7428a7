"""A specialist's versions as lines: where each comes from, what the gate said, where it votes."""

from dataclasses import dataclass

from labeling.refinement import page_queries
from labeling.refinement.models import Challenger
from labeling.runs.models import Run
from labeling.specialists.models import Specialist, SpecialistVersion


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version; `challenger` is what it was in the round that made it, `runs` those in which it votes now."""

    version: SpecialistVersion
    challenger: Challenger | None
    runs: tuple[Run, ...]


def version_lines(specialist: Specialist) -> list[VersionLine]:
    """All versions, newest first."""
    made = page_queries.challengers_by_version(specialist)
    runs = page_queries.runs_by_version(specialist)
    return [
        VersionLine(version, made.get(version.pk), tuple(runs.get(version.pk, ())))
        for version in page_queries.versions_of(specialist)
    ]
