"""The bridge to the engine for pages: what may train, and on what."""

from pathlib import Path

from annotator_core.errors import BadModelFolder
from annotator_core.refine.training_set import gate_half
from annotator_core.specialists.folder import inspect_encoder
from labeling.web.errors import ActionError

GATE_FROM = 500  # chosen: a fifth of them is then the hundred that a gate needs (engine.md 8)


def is_gate_row(text_hash: str) -> bool:
    """Whether the gate of later rounds judges by this text, so that it must not train where there are enough."""
    return gate_half(text_hash) is not None


def check_base(folder: Path) -> None:
    """Raises ActionError for a folder that is no encoder that can be loaded safely."""
    try:
        inspect_encoder(folder)
    except BadModelFolder as error:
        raise ActionError(error.message, field="folder") from error
