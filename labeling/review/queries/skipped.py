"""Whether anybody is left who might answer an item."""

from labeling.labels.models import ReviewItem, Verdict, VerdictMode
from labeling.projects.models import Membership, Role
from labeling.review.models import Skip


def is_skipped_by_all(item: ReviewItem, last: int | None = None) -> bool:
    """Whether all who annotate passed the open item over or have answered it, and somebody else may review it.

    Those who annotate are the project's annotators, all members where it has none, the assignee alone where there is
    one. With `last`, the person who skipped just now, a reviewer must be another person.
    """
    members = Membership.objects.filter(project=item.project_id, user__is_active=True)
    people = dict(members.values_list("user_id", "role"))
    annotators = {user_id for user_id, role in people.items() if role == Role.ANNOTATOR} or set(people)
    if item.assignee_id is not None:
        annotators = {item.assignee_id}
    skipped = set(Skip.objects.filter(item=item, ended_at=None).values_list("user_id", flat=True))
    answers = Verdict.objects.filter(item=item, is_current=True, is_undo=False, is_stale=False)
    answered = set(answers.exclude(mode=VerdictMode.ADJUDICATED).values_list("user_id", flat=True))
    if not skipped or annotators - skipped - answered:
        return False
    return any(Role(role).rank >= Role.REVIEWER.rank for user_id, role in people.items() if user_id != last)
