"""Whether a path stays inside a folder. Standard library only."""

import os
from pathlib import Path


def is_inside(root: Path, path: Path) -> bool:
    """Return whether path, links resolved, is root or lies under it: /data-evil is not inside /data."""
    real_root, real_path = os.path.realpath(root), os.path.realpath(path)
    return os.path.commonpath([real_root, real_path]) == real_root
