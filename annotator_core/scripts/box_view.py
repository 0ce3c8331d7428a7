"""What is seen from inside the box: Python with its packages, what was given, and nothing else of the machine."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NOBODY: Final = 65534
_DROP: Final = f"""\
import os, sys
os.setgroups([])
os.setresgid({NOBODY}, {NOBODY}, {NOBODY})
os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
os.execv(sys.argv[1], sys.argv[1:])
"""
_ENVIRONMENT: Final = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - inside the box this folder is its own
    "USER": "box",
    "LOGNAME": "box",
    "LANG": "C.UTF-8",
    # One thread: others would count as processes, and CPUs are shared.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def enter_as_nobody(bwrap: str, folders: Mapping[str, Path]) -> list[str]:
    """Return the start of a command that root gives: the rest of it runs as nobody, who sees the folders.

    Nobody could not reach a Python in root's home, or a private temporary folder, by itself.
    """
    return [
        bwrap, "--die-with-parent", "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID",
        "--clearenv",
        *_show_machine(), *_show_folders(folders),
        "--perms", "1777", "--tmpfs", "/tmp", "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc",  # noqa: S108 - inside the box these folders are its own
        sys.executable, "-I", "-S", "-c", _DROP,
    ]  # fmt: skip


def enter_box(
    bwrap: str, sources: Mapping[str, Path] | None, folders: Mapping[str, Path], disk_bytes: int, inside: list[str]
) -> list[str]:
    """Return the command that runs ``inside`` in the box. sources: None where the folders are shown as /given already.

    No namespace is shared: not users, processes, network, messages or mounts. Everything but /tmp and /dev/shm, which
    hold so many bytes each, is read-only.
    """
    shown = {name: Path("/given", name) for name in folders} if sources is None else sources
    settings = [word for pair in _ENVIRONMENT.items() for word in ("--setenv", *pair)]
    return [
        bwrap, "--unshare-all", "--unshare-user", "--disable-userns", "--uid", str(NOBODY), "--gid", str(NOBODY),
        "--die-with-parent", "--new-session", "--hostname", "box", "--clearenv", *settings,
        *_show_machine(), *_show_folders(shown),
        "--size", str(disk_bytes), "--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev",  # noqa: S108 - inside the box these folders are its own
        "--size", str(disk_bytes), "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--chdir", "/tmp",  # noqa: S108 - as above
        "--remount-ro", "/", *inside,
    ]  # fmt: skip


def _show_machine() -> list[str]:
    """Show the system's libraries and this Python with its packages, each where it stands."""
    words = _show(Path("/usr"), Path("/usr"))
    for name in ("/lib", "/lib64", "/bin"):
        place = Path(name)
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), name]
        elif place.is_dir():
            words += _show(place, place)
    pythons = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()}
    for place in sorted(pythons):
        if not place.is_relative_to("/usr"):
            words += _show(place, place)
    return words


def _show_folders(folders: Mapping[str, Path]) -> list[str]:
    return [word for name, folder in folders.items() for word in _show(folder.resolve(), Path("/given", name))]


def _show(source: Path, target: Path) -> list[str]:
    """Bind a folder, read-only. Its parents are made first, for bubblewrap makes private ones."""
    parents = [word for one in [*target.parents][-2::-1] for word in ("--perms", "0755", "--dir", str(one))]
    return [*parents, "--ro-bind", str(source), str(target)]
