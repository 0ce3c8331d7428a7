"""Where a specialist's files are, and whether they are the pinned ones."""

import hashlib
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from annotator_core.scripts.standalone.values import Refused, Voter

ALLOWED_PATTERNS: Final = ("*.json", "*.txt", "*.safetensors", "*.model", "*.codes", "README.md", "LICENSE")
"""The files of a model that are fetched and hashed: none of them can run code."""


def find_folder(voter: Voter, models: Path | None) -> Path:
    """Return the folder of a specialist with exactly the pinned files.

    Looked for in ``models / content hash``, in ``models / name``, in the folder that the plan names, and at last on the
    Hub, at the pinned commit. Raises Refused where it is nowhere, or its files are others.
    """
    places = [models / voter.content_hash, models / voter.name] if models else []
    places += [Path(voter.folder)] if voter.folder else []
    found = next((place for place in places if place.is_dir()), None)
    if found is None and not (voter.hub_id and voter.revision):
        looked = ", ".join(str(place) for place in places) or "no folder named"
        raise Refused(f"{voter.name}: its files are not here ({looked}). Put its folder into --models DIR.")
    folder = found if found is not None else _download(voter)
    content = hash_folder(folder)
    if content != voter.content_hash:
        raise Refused(
            f"{voter.name}: the files in {folder} are not the pinned ones "
            f"(content hash {content[:12]}, not {voter.content_hash[:12]})."
        )
    return folder


def _download(voter: Voter) -> Path:
    from huggingface_hub import snapshot_download

    patterns = list(ALLOWED_PATTERNS)
    return Path(
        snapshot_download(voter.hub_id, revision=voter.revision, allow_patterns=patterns, ignore_patterns=["*/*"])
    )


def hash_folder(folder: Path) -> str:
    """Return 64 hex characters over names, sizes and bytes of the files that count."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.is_file() and any(fnmatch(path.name, pattern) for pattern in ALLOWED_PATTERNS):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
