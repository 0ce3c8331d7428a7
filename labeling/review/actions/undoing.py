"""Taking back the last thing a person did: an answer, a skip or a flag."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from labeling.labels.actions import undo
from labeling.labels.models import ItemState, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Project
from labeling.review.actions.flags import undo_flag
from labeling.review.actions.skips import undo_skip
from labeling.review.models import Flag, Skip
from labeling.web.errors import ActionError


def take_back(*, project: Project, user_id: int, client_id: UUID, of: UUID | None = None) -> ReviewItem:
    """Undo the answer, skip or flag with the mark `of`, or the person's newest one; returns its item.

    What another tab has taken back already stays as it is. Raises ActionError when there is nothing to undo.
    """
    try:
        return _take_back(project, user_id, client_id, of)
    except ActionError:
        done = _undone(project, user_id, of) if of else None
        if done is None:
            raise
        return done


def _take_back(project: Project, user_id: int, client_id: UUID, of: UUID | None) -> ReviewItem:
    found = _standing(project, user_id, of)
    if found is None:
        raise ActionError(_("There is nothing to undo."))
    if isinstance(found, Skip):
        return undo_skip(project=project, skip=found, client_id=client_id)
    if isinstance(found, Flag):
        return undo_flag(project=project, flag=found, client_id=client_id)
    return undo(project=project, user_id=user_id, client_id=client_id, of=found.client_id)


def _standing(project: Project, user_id: int, of: UUID | None) -> Verdict | Skip | Flag | None:
    """The newest of what the person did in the project and has not taken back; only the one with mark `of`, if any."""
    where = {"user_id": user_id, "item__project": project} | ({"client_id": of} if of else {})
    answers = Verdict.objects.filter(**where, is_current=True, is_undo=False, is_stale=False)
    queries = (
        answers.exclude(mode=VerdictMode.ADJUDICATED),
        Skip.objects.filter(**where, ended_at=None, item__state=ItemState.OPEN),
        Flag.objects.filter(**where, ended_at=None, item__state=ItemState.OPEN),
    )
    found = [one for query in queries if (one := query.order_by("-created_at", "-id").first()) is not None]
    return max(found, key=_made_at, default=None)


def _undone(project: Project, user_id: int, of: UUID) -> ReviewItem | None:
    """The item of the person's answer, skip or flag with this mark, if it was taken back before."""
    passed = {"client_id": of, "user_id": user_id, "undo_id__isnull": False}
    undos = Verdict.objects.filter(supersedes__client_id=of, user_id=user_id, is_undo=True).order_by()
    skips, flags = Skip.objects.filter(**passed).order_by(), Flag.objects.filter(**passed).order_by()
    found = [*undos.values_list("item"), *skips.values_list("item"), *flags.values_list("item")]
    return ReviewItem.objects.filter(project=project, pk__in=[pk for (pk,) in found]).first()


def _made_at(one: Verdict | Skip | Flag) -> datetime:
    return one.created_at
