"""Which models the Hub finds for some words, as data that may lie: names checked, numbers in range."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from annotator_core.meta.hub_api import Hub, expect_list, fetch_json
from annotator_core.specialists.hub import is_model_id

MAX_WORDS: Final = 6
_PAGE: Final = 30
"""Models that are asked for with one word; chosen: the most downloaded of a theme stand among them."""
_MOST: Final = 2**53


@dataclass(frozen=True, slots=True)
class Listing:
    """A model that the Hub lists. found_by: the words that found it."""

    model_id: str
    downloads: int
    likes: int
    found_by: tuple[str, ...]


def search_models(hub: Hub, words: Sequence[str], limit: int) -> tuple[Listing, ...]:
    """Return at most ``limit`` text classifiers: first those that more of the words find, then by downloads.

    Raises HubUnavailable and TryLater as `fetch_json` does. Names that can be no model's are left out.
    """
    found: dict[str, Listing] = {}
    for word in words[:MAX_WORDS]:
        for one in _search(hub, word):
            before = found.get(one.model_id)
            found[one.model_id] = _add(before, word) if before else one
    ranked = sorted(found.values(), key=lambda one: (-len(one.found_by), -one.downloads, one.model_id))
    return tuple(ranked[:limit])


def _add(one: Listing, word: str) -> Listing:
    return Listing(one.model_id, one.downloads, one.likes, tuple(dict.fromkeys((*one.found_by, word))))


def _search(hub: Hub, word: str) -> Iterable[Listing]:
    params = [
        ("search", word),
        ("pipeline_tag", "text-classification"),
        ("sort", "downloads"),
        ("direction", "-1"),
        ("limit", str(_PAGE)),
    ]
    for entry in expect_list(hub, fetch_json(hub, "/api/models", params))[:_PAGE]:
        if isinstance(entry, dict) and isinstance(name := entry.get("id"), str) and is_model_id(name):
            yield Listing(name, read_count(entry.get("downloads")), read_count(entry.get("likes")), (word,))


def read_count(value: object) -> int:
    """Return a number from the hub as a whole number that is not negative, 0 for anything else.

    >>> read_count(7), read_count(-1), read_count("many"), read_count(True)
    (7, 0, 0, 0)
    """
    return min(max(value, 0), _MOST) if isinstance(value, int) and not isinstance(value, bool) else 0
