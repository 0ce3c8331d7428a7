"""The parts of a standalone script, in the order in which `scripts.compose` joins them into one file.

They import torch, transformers, what transformers brings (numpy, safetensors, huggingface_hub) and each other, and
nothing of the engine: what they compute is written again here, and tests hold it against the engine.
"""

from typing import Final

PARTS: Final = ("values", "folders", "words", "transformer", "linear", "answers", "aggregators", "routes", "table")
"""Each part may use the ones before it; `table` holds ``main``."""
