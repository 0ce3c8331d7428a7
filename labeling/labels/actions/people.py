"""How many people answer an item."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from labeling.labels.models import ItemReason, ReviewItem, Verdict
from labeling.projects.models import Project

FOR_AUDIT = Q(reason=ItemReason.AUDIT) | Q(is_audited=True)
"""Items that an audit waits for, also those that were in the queue before and kept their reason."""


@dataclass(frozen=True, slots=True)
class Needed:
    """How many people answer a text of the project, and one of an audit."""

    ordinary: int
    audit: int

    def of(self, reason: str, *, is_audited: bool = False) -> int:
        """The number for an item in the queue for that reason."""
        return self.audit if is_audited or reason == ItemReason.AUDIT else self.ordinary


def needed_people(project_id: int) -> Needed:
    """The project's overlap, as far as it has that many members who can sign in, one at least."""
    can_answer = Count("memberships", filter=Q(memberships__user__is_active=True))
    found = Project.objects.filter(pk=project_id).annotate(people=can_answer)
    overlap, audit_overlap, people = found.values_list("overlap", "audit_overlap", "people").get()
    return Needed(max(1, min(overlap, people)), max(1, min(audit_overlap, people)))


def set_needed(items: QuerySet[ReviewItem], needed: Needed) -> None:
    """Give items that open again their number where no answer stands; more than one person answers a text blind."""
    given = Verdict.objects.filter(item=OuterRef("pk"))
    waiting = items.filter(~Exists(given.filter(is_current=True, is_undo=False)))
    for part, number in (
        (waiting.filter(FOR_AUDIT), needed.audit),
        (waiting.exclude(FOR_AUDIT), needed.ordinary),
    ):
        part.update(needed=number)
        if number > 1:
            part.filter(~Exists(given)).update(is_blind=True)
