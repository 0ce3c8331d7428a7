"""What one measurement of a run found, before it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labeling.quality.figures import Figures
from labeling.quality.models import Certificate


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures under one generation, the race's winner, its fitted state (None without a race), unsaved certificates.

    `digest` is of the answers and votes that the certificates rest on.
    """

    generation: int
    digest: str
    winner: str
    aggregation: dict[str, Any] | None
    figures: Figures
    certificates: Sequence[Certificate]
