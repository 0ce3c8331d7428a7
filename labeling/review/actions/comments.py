"""Comments: what a person remarks on an item."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.labels.actions.screens import lock_item
from labeling.projects.models import Project
from labeling.review.models import Comment
from labeling.web.errors import ActionError

TEXT_MOST = 2000


def add_comment(*, project: Project, user_id: int, item_id: int, client_id: UUID, text: str) -> Comment:
    """Keep the remark; the same `client_id` again changes nothing. Raises NotInQueue, ActionError."""
    if not text:
        raise ActionError(_("An empty comment is not kept."), field="text")
    check_length(text)
    with transaction.atomic():
        item = lock_item(project, item_id)
        made, _is_new = Comment.objects.get_or_create(
            client_id=client_id, defaults={"item": item, "user_id": user_id, "text": text}
        )
    return made


def check_length(text: str) -> None:
    """Raises ActionError for a note or comment that is too long."""
    if len(text) > TEXT_MOST:
        words = {"most": TEXT_MOST}
        raise ActionError(_("At most %(most)d characters are kept. Nothing was stored.") % words, field="text")
