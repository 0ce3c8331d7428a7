"""How much of what people were asked for is left."""

from dataclasses import dataclass

from django.db.models import F, Q, Sum

from labeling.labels.models import Escalation, ItemState, ReviewItem
from labeling.projects.models import Project
from labeling.runs.models import ACTIVE_STATES, Run


@dataclass(frozen=True, slots=True)
class Work:
    """Rows that wait for a person, and all that people were asked for, decided or not, in what is at work now."""

    left: int
    total: int


def work_of(project: Project) -> Work:
    """The active runs' rows for people, from their counters, and those of texts that no run asked for. Two statements.

    The total does not move when people answer: it tells nobody whether others agreed on a text.
    """
    runs = Run.objects.filter(project=project, state__in=ACTIVE_STATES)
    for_people = F("hard") - F("verified") - F("asking")
    asked = runs.aggregate(left=Sum(for_people - F("decided"), default=0), total=Sum(for_people, default=0))
    # The state stands beside the sums, not in the condition: else SQLite walks all open items of the project.
    is_open, counts = Q(state=ItemState.OPEN), Q(state__in=(ItemState.OPEN, ItemState.DECIDED))
    left, total = Sum("copies", filter=is_open), Sum("copies", filter=counts)
    items = ReviewItem.objects.filter(run=None, project=project).order_by().values_list("project_id")
    own = [(open_ or 0, all_ or 0) for _project, open_, all_ in items.annotate(left=left, total=total)]
    return Work(asked["left"] + sum(one[0] for one in own), asked["total"] + sum(one[1] for one in own))


def answers_to_come(project: Project) -> int:
    """How many answers people give until nothing of the project waits, at most. Two statements on indexes.

    A text that some of its people have answered is counted with one answer fewer, however many those are.
    """
    waiting = ReviewItem.objects.filter(project=project, state=ItemState.OPEN).order_by()
    asked: int = waiting.aggregate(answers=Sum("needed", default=0))["answers"]
    # By crowd: else all that waits is looked at, and most of it nobody has answered.
    begun = waiting.filter(escalation__in=("", *Escalation.values), crowd__gt="").exclude(answered_by="")
    return asked - begun.count()
