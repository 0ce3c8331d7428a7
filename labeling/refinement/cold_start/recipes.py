"""How a specialist of a cold start is trained, as it is stored with its challenger."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

# In the order of annotator_core.refine.cold_start.linear_recipes, the best one first.
LINEAR_NAMES = ("words and characters", "words", "characters")


class Method(models.TextChoices):
    """What is trained."""

    LINEAR = "linear", _("Linear")
    ENCODER = "torch", _("Encoder")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One of `count` specialists that differ by their `position`. `base` is the folder of an encoder, else empty."""

    method: Method
    name: str
    count: int
    position: int
    seed: int
    base: str = ""

    def as_json(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self) | {"method": self.method.value}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Recipe":
        """What was stored."""
        return cls(**(stored | {"method": Method(stored["method"])}))


def recipes_of(method: Method, count: int, seed: int, base: str = "") -> list[Recipe]:
    """That many recipes that differ, each with a name for people."""
    if method == Method.LINEAR:
        return [Recipe(method, LINEAR_NAMES[at % len(LINEAR_NAMES)], count, at, seed) for at in range(count)]
    return [Recipe(method, Path(base).name[:80], count, at, seed, base) for at in range(count)]
