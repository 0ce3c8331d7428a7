"""The backends that can run a specialist: a name and where its ``load`` stands."""

from importlib import import_module
from typing import Final, cast

from annotator_core.errors import BadInput, BadLabelMap
from annotator_core.specialists.contract import Specialist, SpecialistSpec
from annotator_core.specialists.label_map import find_problems

BACKENDS: Final = {
    "torch": "annotator_core.specialists.torch_backend",
    "linear": "annotator_core.specialists.linear_backend",
    "script": "annotator_core.scripts.voter",
    "fake": "annotator_core.fakes.specialist",
}
"""Each module has ``load(spec: SpecialistSpec) -> Specialist``."""


def load_specialist(backend: str, spec: SpecialistSpec) -> Specialist:
    """Return a specialist ready to vote; holes in its label map are taken as confirmed.

    Raises BadInput for an unknown backend, BadLabelMap for a map that does not fit, BadModelFolder as the backend does.
    """
    if backend not in BACKENDS:
        raise BadInput(f"There is no backend {backend!r}: choose one of {', '.join(sorted(BACKENDS))}.")
    problems = find_problems(spec.label_map, spec.n_classes, confirmed_holes=True)
    if problems:
        raise BadLabelMap(f"{spec.identity.name}: {problems[0].message}")
    return cast(Specialist, import_module(BACKENDS[backend]).load(spec))
