"""The columns that an export adds to the uploaded ones, and their names where an upload has the same."""

from collections.abc import Sequence

OWN_COLUMNS = (
    "label",
    "label_source",
    "confidence",
    "uncertainty",
    "route",
    "votes",
    "verifier",
    "verifier_label",
    "verifier_reason",
    "annotators",
    "labels_by_annotator",
    "answer_modes",
    "decided_at",
    "run",
    "generation",
    "audit",
)
PREFIX = "aa_"


def own_names(columns: Sequence[str]) -> tuple[str, ...]:
    """The name of each of OWN_COLUMNS in the file: prefixed until no uploaded column has it."""
    taken = set(columns)
    names = []
    for name in OWN_COLUMNS:
        while name in taken:
            name = PREFIX + name  # noqa: PLW2901 (the prefix is added until the name is free)
        names.append(name)
    return tuple(names)
