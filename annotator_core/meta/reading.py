"""What stands on the Hub about one model, before a byte of its weights: files, config, card, and why it is refused."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from annotator_core.errors import BadInput, BadModelFolder, ModelNotFound
from annotator_core.meta.hub_api import Hub, ModelGated, expect_object, fetch_bytes, fetch_json
from annotator_core.meta.listing import read_count
from annotator_core.meta.task import tidy
from annotator_core.specialists.config import find_labels
from annotator_core.specialists.folder import is_allowed
from annotator_core.specialists.hub import is_model_id

MAX_CONFIG_BYTES: Final = 2_000_000
MAX_CARD_BYTES: Final = 400_000
MAX_CARD_CHARS: Final = 20_000
"""Of a card that are kept for the comparison; chosen: what a card says about its task stands at its beginning."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_TOKENIZERS: Final = ("tokenizer.json", "vocab.txt", "merges.txt")
_FRONT: Final = re.compile(r"\A---\r?\n.*?\r?\n---\s*", re.DOTALL)
_NOISE: Final = re.compile(r"```.*?```|<[^<>]{0,2000}>|https?://\S+|[#*_`|>]+", re.DOTALL)


class Refusal(StrEnum):
    """Why a model is not tried."""

    GONE = "gone"
    GATED = "gated"
    NO_COMMIT = "no_commit"
    NO_SAFETENSORS = "no_safetensors"
    TOO_LARGE = "too_large"
    OWN_CODE = "own_code"
    NO_CONFIG = "no_config"
    NO_CLASSIFIER = "no_classifier"
    NOT_ONE_LABEL = "not_one_label"
    NO_TOKENIZER = "no_tokenizer"


REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.GONE: "The hub does not give it any more: deleted, private or renamed.",
    Refusal.GATED: "Gated: its terms must be accepted on the Hub first.",
    Refusal.NO_COMMIT: "The hub names no commit that it could be pinned to.",
    Refusal.NO_SAFETENSORS: "It has no safetensors weights, the only ones that are loaded.",
    Refusal.TOO_LARGE: "It is larger than allowed.",
    Refusal.OWN_CODE: "It needs code of its own, which is never run.",
    Refusal.NO_CONFIG: "Its config.json is missing or unreadable.",
    Refusal.NO_CLASSIFIER: "It has no head for classifying texts.",
    Refusal.NOT_ONE_LABEL: "It does not pick one label out of several.",
    Refusal.NO_TOKENIZER: "Its tokenizer is missing.",
}
"""Each refusal as a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the Hub says of a model, all of it foreign. refusals: empty where it may be tried.

    revision: the commit (40 hex characters) that everything was read at and that it must be fetched at. size_bytes: of
    the files that would be fetched. card: its text without markup, at most 20,000 characters. labels: in the order of
    the model's outputs.
    """

    model_id: str
    revision: str = ""
    size_bytes: int = 0
    license: str = ""
    downloads: int = 0
    likes: int = 0
    architecture: str = ""
    labels: tuple[str, ...] = ()
    card: str = ""
    refusals: tuple[Refusal, ...] = ()


def read_model(hub: Hub, model_id: str, max_bytes: int) -> Reading:
    """Return what the Hub says of a model; one that is gated or gone since it was listed is refused, not an error.

    max_bytes: of its files. Raises BadInput for what can be no model's name, HubUnavailable and TryLater.
    """
    if not is_model_id(model_id):
        raise BadInput(f"{model_id!r:.100} is no model id: write it as on the Hub, owner/name.")
    try:
        info = expect_object(hub, fetch_json(hub, f"/api/models/{model_id}", [("blobs", "true")]))
    except ModelGated:
        return Reading(model_id, refusals=(Refusal.GATED,))
    except ModelNotFound:
        return Reading(model_id, refusals=(Refusal.GONE,))
    return _read(hub, model_id, info, max_bytes)


def _read(hub: Hub, model_id: str, info: Mapping[str, Any], max_bytes: int) -> Reading:
    files = _list_files(info)
    size, revision = read_count(sum(files.values())), info.get("sha")
    revision = revision if isinstance(revision, str) and _COMMIT.fullmatch(revision) else ""
    found = _refuse_files(info, files, revision, size, max_bytes)
    config = {} if found else _read_config(hub, model_id, revision)
    labels, wrong = _judge(config, model_id) if not found else ((), ())
    return Reading(
        model_id=model_id,
        revision=revision,
        size_bytes=size,
        license=_find_license(info),
        downloads=read_count(info.get("downloads")),
        likes=read_count(info.get("likes")),
        architecture=_find_architecture(config),
        labels=labels,
        card="" if found or wrong else _read_card(hub, model_id, revision),
        refusals=(*found, *wrong),
    )


def _list_files(info: Mapping[str, Any]) -> dict[str, int]:
    """Name and size of the files that would be fetched."""
    siblings = info.get("siblings")
    entries = [one for one in siblings if isinstance(one, dict)] if isinstance(siblings, list) else []
    named = {str(one.get("rfilename")): read_count(one.get("size")) for one in entries}
    return {name: size for name, size in named.items() if is_allowed(name)}


def _refuse_files(
    info: Mapping[str, Any], files: Mapping[str, int], revision: str, size: int, max_bytes: int
) -> tuple[Refusal, ...]:
    tags = info.get("tags")
    tests = {
        Refusal.GATED: info.get("gated") not in (None, False),
        Refusal.NO_COMMIT: not revision,
        Refusal.NO_SAFETENSORS: not any(name.endswith(".safetensors") for name in files),
        Refusal.TOO_LARGE: size > max_bytes,
        Refusal.OWN_CODE: isinstance(tags, list) and "custom_code" in tags,
        Refusal.NO_CONFIG: "config.json" not in files,
        Refusal.NO_TOKENIZER: not any(name in _TOKENIZERS or name.endswith(".model") for name in files),
    }
    return tuple(why for why, is_so in tests.items() if is_so)


def _read_config(hub: Hub, model_id: str, revision: str) -> Mapping[str, Any]:
    body = _read_file(hub, model_id, revision, "config.json", MAX_CONFIG_BYTES)
    try:
        config = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}


def _read_card(hub: Hub, model_id: str, revision: str) -> str:
    return clean_card(_read_file(hub, model_id, revision, "README.md", MAX_CARD_BYTES).decode("utf-8", "replace"))


def _read_file(hub: Hub, model_id: str, revision: str, name: str, max_bytes: int) -> bytes:
    try:
        return fetch_bytes(hub, f"/{model_id}/resolve/{revision}/{quote(name)}", max_bytes=max_bytes)
    except ModelNotFound:
        return b""


def _judge(config: Mapping[str, Any], model_id: str) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    if not config:
        return (), (Refusal.NO_CONFIG,)
    if "auto_map" in config:
        return (), (Refusal.OWN_CODE,)
    if not _find_architecture(config):
        return (), (Refusal.NO_CLASSIFIER,)
    try:
        return find_labels(config, Path(model_id)), ()
    except BadModelFolder:
        return (), (Refusal.NOT_ONE_LABEL,)


def _find_architecture(config: Mapping[str, Any]) -> str:
    named = config.get("architectures")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return next((tidy(name, 80) for name in names if name.endswith("ForSequenceClassification")), "")


def _find_license(info: Mapping[str, Any]) -> str:
    card, tags = info.get("cardData"), info.get("tags")
    named = card.get("license") if isinstance(card, dict) else None
    tagged = [str(tag) for tag in tags if str(tag).startswith("license:")] if isinstance(tags, list) else []
    name = named if isinstance(named, str) else tagged[0].removeprefix("license:") if tagged else ""
    return tidy(name, 80)


def clean_card(text: str) -> str:
    """Return a card's words: no front matter, code, markup or addresses, on one line, at most 20,000 characters.

    >>> clean_card("---\\nlicense: mit\\n---\\n# Toxic <b>comments</b>\\n```py\\nx\\n```")
    'Toxic comments'
    """
    return tidy(_NOISE.sub(" ", _FRONT.sub("", text)), MAX_CARD_CHARS)
