"""What a model's config.json and README say, read as data that may lie. Standard library only."""

import json
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from annotator_core.errors import BadModelFolder

_MAX_JSON_BYTES: Final = 16_000_000
"""Chosen: the configs of classifiers have a few kB, the largest index of shards some MB."""
_MAX_LABELS: Final = 10_000
_MAX_LABEL_CHARS: Final = 1_000
_NO_LIMIT: Final = 1_000_000
"""Tokenizers write 10^30 where they know no limit; anything above is none."""
_OFFSET_TYPES: Final = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "data2vec-text", "ibert", "longformer", "xmod"}
)
"""Models whose positions start behind the padding id, so that two of them hold no token."""


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; raise BadModelFolder when it is none, unreadable or larger than 16 MB."""
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise BadModelFolder(f"{path.name} is larger than {_MAX_JSON_BYTES} bytes: this is no model's file.")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadModelFolder(f"{path.name} is not readable as JSON: {error}.") from error
    if not isinstance(content, dict):
        raise BadModelFolder(f"{path.name} must hold a JSON object.")
    return content


def find_labels(config: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Return a classifier's labels in the order of its outputs; LABEL_0, LABEL_1, ... where it names none.

    Raises BadModelFolder for fewer than two labels, a multi-label or regression model, and names that are no text.
    """
    problem = config.get("problem_type")
    if problem not in (None, "single_label_classification"):
        raise BadModelFolder(f"The model in {path} is made for {problem}: only models that pick one label can vote.")
    named = config.get("id2label")
    labels = _order_labels(named, path) if named else _number_labels(config)
    if not 2 <= len(labels) <= _MAX_LABELS:
        raise BadModelFolder(f"The model in {path} has {len(labels)} labels: a classifier has 2 to {_MAX_LABELS}.")
    for label in labels:
        _check_label(label, path)
    return labels


def _order_labels(named: object, path: Path) -> tuple[str, ...]:
    try:
        by_id = {int(key): label for key, label in named.items()}  # type: ignore[attr-defined]  # any JSON may stand here
        return tuple(by_id[index] for index in range(len(by_id)))
    except (AttributeError, KeyError, ValueError) as error:
        raise BadModelFolder(f"id2label in the config of {path} is not numbered 0, 1, 2, ...") from error


def _number_labels(config: Mapping[str, Any]) -> tuple[str, ...]:
    number = config.get("num_labels", 2)
    return tuple(f"LABEL_{index}" for index in range(min(number, _MAX_LABELS + 1) if isinstance(number, int) else 0))


def _check_label(label: object, path: Path) -> None:
    if isinstance(label, str) and label.strip() and len(label) <= _MAX_LABEL_CHARS and _is_plain(label):
        return
    raise BadModelFolder(f"The model in {path} has a label that is no plain text: {label!r:.60}.")


def _is_plain(label: str) -> bool:
    return not any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in label)


def find_max_length(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> int | None:
    """Return how many tokens a text may have: the smaller limit of model and tokenizer, None where there is none."""
    positions = config.get("max_position_embeddings", config.get("n_positions"))
    offset = 2 if config.get("model_type") in _OFFSET_TYPES else 0
    limits = [positions - offset if isinstance(positions, int) else None, tokenizer.get("model_max_length")]
    named = [int(limit) for limit in limits if isinstance(limit, int | float) and 0 < limit < _NO_LIMIT]
    return min(named, default=None)


def read_license(readme: Path) -> str | None:
    """Return the license that the README's front matter names, None where it names none."""
    with readme.open(encoding="utf-8", errors="replace") as file:
        if file.readline(10).strip() != "---":
            return None
        front = takewhile(lambda line: line.strip() != "---", (file.readline(1_000) for _ in range(500)))
        named = [line.partition(":")[2].strip(" \t\r\n'\"") for line in front if line.startswith("license:")]
    return named[0] or None if named else None
