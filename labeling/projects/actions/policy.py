"""How a project's people review: order, how many of them answer a text, whether they see the votes."""

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.projects.models import Project, ReviewOrder, VotesShown
from labeling.web.errors import ActionError

OVERLAP_AT_MOST = 10  # chosen: agreement gains little beyond five


@transaction.atomic
def edit_review(
    *,
    project: Project,
    review_order: ReviewOrder,
    overlap: int,
    audit_overlap: int,
    votes_shown: VotesShown,
    is_harsh: bool,
) -> bool:
    """Store how the project reviews; whether the numbers of people changed, which open items must follow.

    Raises ActionError for a number out of bounds.
    """
    for field, number in (("overlap", overlap), ("audit_overlap", audit_overlap)):
        if not 1 <= number <= OVERLAP_AT_MOST:
            raise ActionError(_("One to %(n)d people answer a text.") % {"n": OVERLAP_AT_MOST}, field=field)
    before = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    project.review_order, project.votes_shown, project.is_harsh = review_order, votes_shown, is_harsh
    project.overlap, project.audit_overlap = overlap, audit_overlap
    project.save(update_fields=["review_order", "votes_shown", "is_harsh", "overlap", "audit_overlap"])
    return (before.overlap, before.audit_overlap) != (overlap, audit_overlap)
