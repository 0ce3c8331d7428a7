"""Models from the Hub: only files that cannot run code, at a pinned commit, with a limit on size."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from annotator_core.errors import BadInput, BadModelFolder, HubUnavailable, ModelNotFound, ModelTooLarge
from annotator_core.specialists.folder import ALLOWED_PATTERNS, is_allowed, list_files
from annotator_core.storage import report_storage

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

MAX_BYTES: Final = 8_000_000_000
"""Chosen: room for the largest encoders people classify with (XLM-R XL has 14 GB, XLM-R large 2.2)."""
_SILENCE_S: Final = 30.0
"""How long the hub may say nothing before it counts as away; without it, for ever. Chosen."""
_MODEL_ID: Final = re.compile(r"(?!.*(\.\.|--))[\w][\w.-]{0,95}(/[\w][\w.-]{0,95})?", re.ASCII)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_COMPLETE: Final = ".complete"
"""Names and sizes of a kept model's files, written once all of them are there; itself no file that counts."""


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """A model's files in a folder: revision is the commit they come from, whatever was asked for."""

    model_id: str
    revision: str
    path: Path


def is_model_id(name: str) -> bool:
    """Return whether a name can be a model's id on the Hub: ``name`` or ``owner/name``."""
    return _MODEL_ID.fullmatch(name) is not None


def fetch(
    model_id: str,
    revision: str | None,
    folder: Path,
    *,
    max_bytes: int = MAX_BYTES,
    endpoint: str | None = None,
    token: str | None = None,
) -> FetchedModel:
    """Return a model's files, downloaded into the folder; files that are there already are not fetched again.

    revision: branch, tag or commit, None for the default branch. endpoint: None for HF_ENDPOINT or the public Hub.
    Raises BadInput (no such id can exist), ModelNotFound (unknown, or its terms are not accepted), HubUnavailable,
    BadModelFolder (no safetensors weights), ModelTooLarge, StoreFull and StorageError.
    """
    api = _open_api(model_id, endpoint, token)
    return _download(api, model_id, _find_commit(api, model_id, revision, folder, max_bytes), folder)


def fetch_kept(
    model_id: str, revision: str | None, cache: Path, *, endpoint: str | None = None, token: str | None = None
) -> FetchedModel:
    """Return a model's files in a folder of the cache that is for their commit alone, downloaded once.

    A revision that is a whole commit (40 hex digits) and is there already is taken without asking anybody; what a
    branch, a tag or None stands for today is asked for. Raises as `fetch` does.
    """
    api, name = _open_api(model_id, endpoint, token), model_id.replace("/", "--")
    if revision is not None and _COMMIT.fullmatch(revision) and _is_complete(cache / f"{name}@{revision}"):
        return FetchedModel(model_id, revision, cache / f"{name}@{revision}")
    try:
        commit = _find_commit(api, model_id, revision, cache, MAX_BYTES)
    except HubUnavailable as error:
        kept = [path.name.rpartition("@")[2] for path in sorted(cache.glob(f"{name}@*")) if _is_complete(path)]
        there = "".join(f" {model_id}@{commit} is here and needs no hub." for commit in kept)
        raise HubUnavailable(error.message + there) from error
    folder = cache / f"{name}@{commit}"
    if not _is_complete(folder):
        _download(api, model_id, commit, folder)
        with report_storage(f"The folder {folder}"):
            (folder / _COMPLETE).write_text(json.dumps(_list_sizes(folder)), encoding="utf-8")
    return FetchedModel(model_id, commit, folder)


def _is_complete(folder: Path) -> bool:
    """Return whether all files that were downloaded here once are still there, in their sizes."""
    try:
        return bool(json.loads((folder / _COMPLETE).read_text(encoding="utf-8")) == _list_sizes(folder))
    except (OSError, ValueError, BadModelFolder):
        return False


def _list_sizes(folder: Path) -> dict[str, int]:
    return {file.name: file.size_bytes for file in list_files(folder)}


def _open_api(model_id: str, endpoint: str | None, token: str | None) -> "HfApi":
    if not is_model_id(model_id):
        raise BadInput(f"{model_id!r:.100} is no model id: write it as on the Hub, owner/name.")
    from huggingface_hub import HfApi

    # As the search does: a slash at the end would stand twice in every address.
    return HfApi(endpoint=endpoint.rstrip("/") if endpoint else None, token=token)


def _find_commit(api: "HfApi", model_id: str, revision: str | None, folder: Path, max_bytes: int) -> str:
    with report_storage(f"The folder {folder}"), _report_hub(model_id, api.endpoint):
        info = api.model_info(model_id, revision=revision, files_metadata=True, timeout=_SILENCE_S)
        return _check_files(info, max_bytes)


def _download(api: "HfApi", model_id: str, commit: str, folder: Path) -> FetchedModel:
    with report_storage(f"The folder {folder}"), _report_hub(model_id, api.endpoint):
        api.snapshot_download(
            model_id,
            revision=commit,
            local_dir=folder,
            allow_patterns=list(ALLOWED_PATTERNS),
            ignore_patterns=["*/*"],
            max_workers=2,
        )
    return FetchedModel(model_id, commit, folder)


def _check_files(info: "ModelInfo", max_bytes: int) -> str:
    wanted = [file for file in info.siblings or [] if is_allowed(file.rfilename)]
    if not any(file.rfilename.endswith(".safetensors") for file in wanted):
        raise BadModelFolder(
            f"{info.id} has no safetensors weights, the only ones that are loaded: choose another model."
        )
    size = sum(file.size or 0 for file in wanted)
    if size > max_bytes:
        raise ModelTooLarge(f"{info.id} has {size / 1e6:,.0f} MB, more than the {max_bytes / 1e6:,.0f} MB allowed.")
    # It names a folder, so what is no commit goes nowhere.
    if not info.sha or not _COMMIT.fullmatch(info.sha):
        raise HubUnavailable(f"The hub names no commit for {info.id}: it cannot be pinned.")
    return info.sha


@contextmanager
def _report_hub(model_id: str, endpoint: str) -> Iterator[None]:
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelNotFound(f"{model_id} is gated: accept its terms on the Hub and set HF_TOKEN.") from error
    except errors.RevisionNotFoundError as error:
        raise ModelNotFound(f"{model_id} has no such revision: check the branch, tag or commit.") from error
    except (errors.RepositoryNotFoundError, errors.RemoteEntryNotFoundError) as error:
        raise ModelNotFound(
            f"{model_id} was not found at {endpoint}: check the id, or set HF_TOKEN if it is private."
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, httpx2.HTTPError) as error:
        raise HubUnavailable(f"The hub at {endpoint} does not give {model_id} ({_name(error)}): try again.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HubUnavailable(
            f"{endpoint} does not answer like a model hub ({_name(error)}): check the address."
        ) from error


def _name(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
