"""The backends that can be trained: a name and where its trainer stands."""

from importlib import import_module
from typing import Final, cast

from annotator_core.errors import BadInput
from annotator_core.refine.plan import Trainer

TRAINERS: Final = {
    "torch": "annotator_core.refine.trainer.train",
    "linear": "annotator_core.refine.linear_trainer.train",
    "fake": "annotator_core.refine.fake_trainer.train",
}
"""Each name leads to a `plan.Trainer`."""


def find_trainer(backend: str) -> Trainer:
    """Return the trainer of a backend; raise BadInput for a backend that has none."""
    if backend not in TRAINERS:
        raise BadInput(f"A {backend!r} specialist cannot be trained: choose one of {', '.join(sorted(TRAINERS))}.")
    module, _, name = TRAINERS[backend].rpartition(".")
    return cast(Trainer, getattr(import_module(module), name))
