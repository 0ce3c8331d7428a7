"""The header of a safetensors file, read without any library: what it holds and whether the file is whole.

Source: the safetensors format: 8 bytes little-endian header length, a JSON header, then the tensors' bytes.
"""

import json
from pathlib import Path
from typing import Final

from annotator_core.errors import BadModelFolder

_MAX_HEADER_BYTES: Final = 100_000_000
"""The format's own limit."""


def check_safetensors(path: Path) -> None:
    """Return when the file is a whole safetensors file; raise BadModelFolder when it is cut short or something else."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if 0 < length <= min(_MAX_HEADER_BYTES, size - 8) else b""
    if 8 + length + _find_end(header) != size:
        raise BadModelFolder(f"{path.name} is damaged or cut short: fetch or copy the model again.")


def _find_end(header: bytes) -> int:
    try:
        tensors = json.loads(header)
        ends = [entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"]
        return int(max(ends, default=0))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return -1
