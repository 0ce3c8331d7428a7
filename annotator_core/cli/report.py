"""What a run of ``label`` counts as it goes, and tells at its end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from annotator_core.annotation import Block
from annotator_core.specialists.contract import Prediction
from annotator_core.types import Route


@dataclass(slots=True)
class Report:
    """Rows by route, and by specialist the abstentions, the first reason for one, and the cut texts."""

    routes: Counter[str] = field(default_factory=Counter)
    abstentions: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    truncated: Counter[str] = field(default_factory=Counter)

    @classmethod
    def from_counts(cls, counts: Mapping[str, Any]) -> Self:
        """Return the report that gave these counts; an empty one for none."""
        if not counts:
            return cls()
        return cls(
            Counter(counts["routes"]),
            Counter(counts["abstentions"]),
            dict(counts["reasons"]),
            Counter(counts["truncated"]),
        )

    def to_counts(self) -> dict[str, object]:
        """Return the counts as JSON values."""
        return {
            "routes": dict(self.routes),
            "abstentions": dict(self.abstentions),
            "reasons": self.reasons,
            "truncated": dict(self.truncated),
        }

    def add_prediction(self, name: str, prediction: Prediction) -> None:
        """Count one specialist's answer to a window."""
        found = [reason for reason in prediction.reasons if reason]
        self.abstentions[name] += len(found)
        self.truncated[name] += prediction.truncated
        if found:
            self.reasons.setdefault(name, found[0])

    def add_block(self, block: Block) -> None:
        """Count where a window's rows go."""
        self.routes.update(block.list_routes())

    def tell(self) -> str:
        """Return the report for a person, one line a fact."""
        accepted, review = self.routes[Route.ACCEPT.value], self.routes[Route.REVIEW.value]
        verified = self.routes[Route.VERIFY.value]
        by_model = f"{verified} labeled with the language model, " if verified else ""
        lines = [f"{self.routes.total()} rows: {accepted} accepted, {by_model}{review} need review."]
        lines += [
            f"{name} abstained on {self.abstentions[name]} rows, first because: {reason}"
            for name, reason in self.reasons.items()
        ]
        lines += [f"{name} read only the beginning of {n} long texts." for name, n in self.truncated.items() if n]
        return "".join(f"{line}\n" for line in lines)
