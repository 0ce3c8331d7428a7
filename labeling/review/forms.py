"""What the review screen sends: plain forms without JavaScript, one JSON letter with it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from labeling.review.actions.comments import TEXT_MOST
from labeling.review.actions.sending import Kind, Sent

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
ID_MOST = 2**62
ACTIONS_MOST, HAVE_MOST, WANT_MOST = 100, 100, 5
LETTER_MOST_BYTES = 1_000_000
UNTIL_FORMATS = ("%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z")


class ItemForm(forms.Form):
    """Names an item, with the mark that makes a repeat harmless."""

    item = forms.IntegerField(min_value=1, max_value=ID_MOST)
    client_id = forms.UUIDField()

    def sent(self, kind: Kind) -> Sent:
        """The valid form as what the person did."""
        data = self.cleaned_data
        text = data.get("note") or data.get("text") or ""
        chosen, elapsed_ms = data.get("label_class") or 0, data.get("elapsed_ms")
        return Sent(kind, data["client_id"], data["item"], class_id=chosen, elapsed_ms=elapsed_ms, text=text)


class DecisionForm(ItemForm):
    """An answer: item, class and how long it took."""

    label_class = forms.IntegerField(min_value=1, max_value=ID_MOST)
    elapsed_ms = forms.IntegerField(min_value=0, max_value=DAY_MS, required=False)


class FlagForm(ItemForm):
    """A flag with a word on why."""

    note = forms.CharField(max_length=TEXT_MOST, required=False)


class CommentForm(ItemForm):
    """A remark."""

    text = forms.CharField(max_length=TEXT_MOST)


class UndoForm(forms.Form):
    """The mark of an undo."""

    client_id = forms.UUIDField()


class ItemIdsField(forms.Field):
    """A field that comes several times, an item's id each; None where it does not come at all."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[int] | None:
        """The ids. Raises ValidationError."""
        one = forms.IntegerField(min_value=1, max_value=ID_MOST)
        return [one.clean(found) for found in value[:HAVE_MOST]] if value else None


class ReleaseForm(forms.Form):
    """What a leaving page held (all that the person holds if it names nothing), and the end of the leases it knew."""

    until = forms.DateTimeField(input_formats=UNTIL_FORMATS)
    items = ItemIdsField(required=False)


class BadLetterError(Exception):
    """A body that cannot be read; the message names the place."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What the page did since it last wrote, the items it holds, how many it wants, the classes that it shows.

    `user_id` is the person whose page it is, None where it does not say; `wants_head` whether it wants the line about
    the person's progress, which costs more than the decision: a page asks for it each ten seconds.
    """

    actions: list[Sent]
    have: list[int]
    want: int
    classes: str
    user_id: int | None = None
    wants_head: bool = True


def read_letter(body: bytes) -> Letter:
    """The body of `send`. Raises BadLetterError, before anything was done."""
    try:
        letter = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadLetterError("not JSON") from error
    if not isinstance(letter, dict):
        raise BadLetterError("not an object")
    actions = _list(letter, "actions", ACTIONS_MOST)
    have = [_whole({"have": one}, "have", 1, ID_MOST) for one in _list(letter, "have", HAVE_MOST)]
    want = min(_whole(letter, "want", 0, ID_MOST), WANT_MOST)
    user_id = None if letter.get("user") is None else _whole(letter, "user", 1, ID_MOST)
    wants_head = letter.get("head") is not False
    return Letter([_action(one) for one in actions], have, want, _text(letter, "classes"), user_id, wants_head)


def _action(one: Any) -> Sent:
    if not isinstance(one, dict) or one.get("kind") not in list(Kind):
        raise BadLetterError("kind")
    kind, mark = Kind(one["kind"]), _mark(one.get("id"))
    if kind == Kind.UNDO:
        return Sent(kind, mark, of=None if one.get("of") is None else _mark(one["of"]))
    item = _whole(one, "item", 1, ID_MOST)
    if kind == Kind.DECIDE:
        return Sent(
            kind,
            mark,
            item,
            class_id=_whole(one, "class", 1, ID_MOST),
            has_seen_votes=one.get("seen") is True,
            elapsed_ms=_milliseconds(one, "elapsed_ms", DAY_MS),
            ago_ms=_milliseconds(one, "ago_ms", YEAR_MS),
        )
    text = _text(one, "note" if kind == Kind.FLAG else "text")
    return Sent(kind, mark, item, has_seen_votes=one.get("seen") is True, text=text)


def _milliseconds(one: dict[str, Any], name: str, most: int) -> int | None:
    """No more than `most`; None where the page does not say."""
    return None if one.get(name) is None else min(_whole(one, name, 0, ID_MOST), most)


def _list(letter: dict[str, Any], name: str, most: int) -> list[Any]:
    found = letter.get(name, [])
    if not isinstance(found, list) or len(found) > most:
        raise BadLetterError(name)
    return found


def _whole(letter: dict[str, Any], name: str, least: int, most: int) -> int:
    found = letter.get(name, 0)
    if type(found) is not int or not least <= found <= most:
        raise BadLetterError(name)
    return found


def _text(letter: dict[str, Any], name: str) -> str:
    found = letter.get(name, "")
    if not isinstance(found, str):
        raise BadLetterError(name)
    # What no database can store is left out: half a surrogate pair, NUL.
    return found.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def _mark(found: Any) -> UUID:
    if not isinstance(found, str):
        raise BadLetterError("id")
    try:
        return UUID(found)
    except ValueError as error:
        raise BadLetterError("id") from error
