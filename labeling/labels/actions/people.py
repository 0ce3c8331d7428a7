"""How many people answer an item."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from labeling.labels.models import ItemReason, ReviewItem, Verdict
from labeling.projects.models import Project


@dataclass(frozen=True, slots=True)
class Needed:
    """How many people answer a text of the project, and one of an audit."""

    ordinary: int
    audit: int

    def of(self, reason: str) -> int:
        """The number for an item in the queue for that reason."""
        return self.audit if reason == ItemReason.AUDIT else self.ordinary


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
        (waiting.filter(reason=ItemReason.AUDIT), needed.audit),
        (waiting.exclude(reason=ItemReason.AUDIT), needed.ordinary),
    ):
        part.update(needed=number)
        if number > 1:
            part.filter(~Exists(given)).update(is_blind=True)
