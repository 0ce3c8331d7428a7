"""What a page sends: answers, skips, flags, comments and undos, done in order, each once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.labels.actions import decide
from labeling.labels.actions.screens import note_sight
from labeling.labels.models import ReviewItem
from labeling.projects.models import Project
from labeling.review.actions.comments import add_comment
from labeling.review.actions.flags import flag
from labeling.review.actions.skips import skip
from labeling.review.actions.undoing import take_back
from labeling.review.queries.marks import find_mark
from labeling.review.queries.stale import word_stale
from labeling.web.errors import ActionError

Outcome = Literal["stored", "repeat", "stale", "refused"]


class Kind(StrEnum):
    """What a person can send."""

    DECIDE = "decide"
    SKIP = "skip"
    FLAG = "flag"
    COMMENT = "comment"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Sent:
    """One thing that a person did. `id` is the page's own mark: sent again, it is the same thing.

    `item` is 0 for an undo, `of` the mark of what it takes back, None for the newest; `text` a note or comment.
    `ago_ms` is how long it waited to be sent, None where the page does not say.
    """

    kind: Kind
    id: UUID
    item: int = 0
    class_id: int = 0
    has_seen_votes: bool = False
    elapsed_ms: int | None = None
    text: str = ""
    of: UUID | None = None
    ago_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of it; the message is for the person, empty where there is nothing to say."""

    id: UUID
    outcome: Outcome
    message: str = ""
    item: int | None = None


def send(*, project: Project, user_id: int, actions: Sequence[Sent]) -> list[Result]:
    """Do what the page sent, in its order, each in a transaction of its own; one result each."""
    return [do(project=project, user_id=user_id, sent=sent) for sent in actions]


def do(*, project: Project, user_id: int, sent: Sent) -> Result:
    """Do one thing, or say what became of it the first time."""
    mark = find_mark(sent.id)
    if mark and (mark.kind, mark.user_id, mark.project_id) == (sent.kind, user_id, project.pk):
        message = word_stale(sent.id) if mark.is_stale else ""
        return Result(sent.id, "repeat", message, mark.item_id)
    if mark:
        return _foreign(sent)
    try:
        result = DOERS[sent.kind](project, user_id, sent)
    except ActionError as error:
        return Result(sent.id, "refused", error.message, sent.item or None)
    except IntegrityError:  # the same mark on another item in the same moment
        return _foreign(sent)
    if sent.has_seen_votes and sent.kind != Kind.DECIDE:
        _note_sight(project, user_id, sent.item)
    return result


def _note_sight(project: Project, user_id: int, item_id: int) -> None:
    """The votes were seen and no answer says so. Of a blind text nobody is shown any, whatever a page says."""
    items = ReviewItem.objects.filter(pk=item_id, project=project, is_blind=False, needed=1)
    note_sight(user_id, items.values_list("id", flat=True))


def _foreign(sent: Sent) -> Result:
    return Result(sent.id, "refused", _("This carries the mark of something else. Reload the page and do it again."))


def _decide(project: Project, user_id: int, sent: Sent) -> Result:
    made = decide(
        item_id=sent.item,
        project=project,
        user_id=user_id,
        class_id=sent.class_id,
        client_id=sent.id,
        has_seen_votes=sent.has_seen_votes,
        elapsed_ms=sent.elapsed_ms,
        made_at=None if sent.ago_ms is None else timezone.now() - timedelta(milliseconds=sent.ago_ms),
    )
    if made.is_repeat:
        return Result(sent.id, "repeat", word_stale(sent.id) if made.is_stale else "", made.item_id)
    if made.is_stale:
        return Result(sent.id, "stale", word_stale(sent.id), made.item_id)
    settled = _("A reviewer has settled this text. Your answer is kept beside it, and the label stays as it is.")
    return Result(sent.id, "stored", settled if made.is_settled else "", made.item_id)


def _skip(project: Project, user_id: int, sent: Sent) -> Result:
    skip(project=project, user_id=user_id, item_id=sent.item, client_id=sent.id)
    return Result(sent.id, "stored", item=sent.item)


def _flag(project: Project, user_id: int, sent: Sent) -> Result:
    if flag(project=project, user_id=user_id, item_id=sent.item, client_id=sent.id, note=sent.text):
        return Result(sent.id, "stored", item=sent.item)
    return Result(sent.id, "stale", _("This text was decided meanwhile; your flag is kept with it."), sent.item)


def _comment(project: Project, user_id: int, sent: Sent) -> Result:
    add_comment(project=project, user_id=user_id, item_id=sent.item, client_id=sent.id, text=sent.text)
    return Result(sent.id, "stored", item=sent.item)


def _undo(project: Project, user_id: int, sent: Sent) -> Result:
    item = take_back(project=project, user_id=user_id, client_id=sent.id, of=sent.of)
    return Result(sent.id, "stored", item=item.pk)


DOERS: dict[Kind, Callable[[Project, int, Sent], Result]] = {
    Kind.DECIDE: _decide,
    Kind.SKIP: _skip,
    Kind.FLAG: _flag,
    Kind.COMMENT: _comment,
    Kind.UNDO: _undo,
}
