"""What the answers on an item come to: a label, a place on the reviewers' desk, or more waiting."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from annotator_core.types import LabelSource, rank_source
from labeling.datasets.models import Sample
from labeling.labels.actions.audit import tell_assessment
from labeling.labels.actions.labels import LabelRow, retract_labels, set_labels
from labeling.labels.actions.waiting import count_decided, is_wanted
from labeling.labels.models import Escalation, ItemState, Lease, ReviewItem, Verdict, VerdictMode
from labeling.web.prepared import Prepared, PreparedChange

PERSON_RANK = rank_source(LabelSource.IMPORTED)


@dataclass(frozen=True, slots=True)
class Standing:
    """The answers that count on an item: each person's own, oldest first, and a reviewer's that settles them."""

    own: list[Verdict]
    adjudication: Verdict | None

    @property
    def people(self) -> set[int]:
        """Who has answered."""
        return {verdict.user_id for verdict in self.own}

    @property
    def is_split(self) -> bool:
        """Whether people disagree."""
        return len({verdict.label_class_id for verdict in self.own}) > 1

    def decisive(self, item: ReviewItem) -> Verdict | None:
        """The answer that the item's labels hang on: the adjudication, or the last of enough that agree."""
        if self.adjudication:
            return self.adjudication
        return self.own[-1] if self.own and self.is_enough(item) and not self.is_split else None

    def is_enough(self, item: ReviewItem) -> bool:
        """Whether as many have answered as the item needs: one, once the specialists have come to agree on it."""
        return len(self.own) >= (1 if item.state == ItemState.WITHDRAWN else item.needed)


def standing_of(verdicts: Iterable[Verdict]) -> Standing:
    """The answers that count among an item's verdicts."""
    count = [one for one in verdicts if one.is_current and not one.is_undo and not one.is_stale]
    ordered = sorted(count, key=lambda one: one.pk)
    settled = [one for one in ordered if one.mode == VerdictMode.ADJUDICATED]
    own = [one for one in ordered if one.mode != VerdictMode.ADJUDICATED]
    return Standing(own, settled[-1] if settled else None)


def standing_on(item: ReviewItem) -> Standing:
    """The answers that count on the item now."""
    return standing_of(Verdict.objects.filter(item=item, is_current=True))


def crowd_of(user_ids: Iterable[int]) -> str:
    """These people as an item's `answered_by`: ",3,17," for 3 and 17, empty for nobody."""
    ids = sorted(set(user_ids))
    return f",{','.join(map(str, ids))}," if ids else ""


def judge(item: ReviewItem, standing: Standing) -> int:
    """Decide the locked item, or let it wait for people or a reviewer, as the answers say; returns the copies labeled.

    The runs of its data set are locked, and no label of its own stands. What was flagged or skipped by all waits for a
    reviewer however many answers there are.
    """
    verdict = standing.decisive(item)
    waits_anyhow = item.escalation in {Escalation.FLAGGED, Escalation.SKIPPED}
    if verdict and (verdict == standing.adjudication or not waits_anyhow):
        return _conclude(item, verdict)
    if not waits_anyhow:
        item.escalation = Escalation.CONFLICT if standing.is_enough(item) and standing.is_split else ""
    item.answered_by = crowd_of(standing.people)
    move(item, ItemState.OPEN)
    return 0


def judge_anew(item: ReviewItem, standing: Standing) -> None:
    """Take the locked item's labels back and judge it by the answers left; withdrawn where nobody asks for it now."""
    left = retract_labels(verdict_ids=Verdict.objects.filter(item=item).values_list("id", flat=True))
    run_ids = count_decided((one for one, source in left.items() if not is_by_person(source)), sign=-1)
    tell_assessment(item)
    is_back = item.state == ItemState.DECIDED and (standing.decisive(item) or is_wanted(item, run_ids))
    if is_back or item.state == ItemState.OPEN:
        judge(item, standing)
    else:
        item.answered_by = crowd_of(standing.people)  # it may come back to the queue
        move(item, ItemState.WITHDRAWN)


def _stored(pk: int, *values: Any) -> tuple[QuerySet[ReviewItem], dict[str, Any]]:
    return ReviewItem.objects.filter(pk=pk), dict(zip(STORED, values, strict=True))


STORED = ("state", "escalation", "assignee_id", "answered_by", "version")
_store = PreparedChange(_stored)
_drop_leases = PreparedChange(lambda item_id: (Lease.objects.filter(item_id=item_id), None))


def move(item: ReviewItem, state: ItemState) -> None:
    """Store the locked item's state, escalation, assignee and crowd."""
    item.state, item.version = state, item.version + 1
    _store(item.pk, str(state), item.escalation, item.assignee_id, item.answered_by, item.version)


def is_by_person(source: LabelSource | None) -> bool:
    """Whether a label of this source ends the wait for a person: a verified import does, too."""
    return source is not None and rank_source(source) >= PERSON_RANK


_lock_copies = Prepared(
    lambda dataset_id, text_hash: (
        Sample.objects.filter(dataset_id=dataset_id, text_hash=text_hash)
        .order_by("id")
        .select_for_update(no_key=True)
        .values_list("id", flat=True)
    )
)


def _conclude(item: ReviewItem, verdict: Verdict) -> int:
    """Close the item and label every sample of the data set with its text; returns how many."""
    _drop_leases(item.pk)
    item.escalation, item.assignee_id, item.answered_by = "", None, ""
    move(item, ItemState.DECIDED)
    sample_ids = _lock_copies(item.dataset_id, item.text_hash)
    class_id = verdict.label_class_id
    if class_id is None:
        raise ValueError("an answer without a class decides nothing")
    rows = [LabelRow(one, class_id, run_id=item.run_id, verdict_id=verdict.pk) for one in sample_ids]
    source = LabelSource.ADJUDICATED if verdict.mode == VerdictMode.ADJUDICATED else LabelSource.HUMAN
    before = set_labels(rows=rows, source=source, are_locked=True)
    count_decided((one for one in sample_ids if not is_by_person(before.get(one))), sign=1)
    tell_assessment(item)
    return len(rows)
