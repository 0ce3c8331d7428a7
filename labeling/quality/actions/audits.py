"""An audit as managers draw it: random texts of the frame that people label blind, and the way to take them back."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotator_core.contract.frame import third_of
from labeling.accounts.models import User
from labeling.datasets.models import Dataset, Sample
from labeling.datasets.queries import count_texts
from labeling.labels.actions import reopen
from labeling.labels.actions.audit import lock_queue, open_audit_items, withdraw_audit_items
from labeling.labels.actions.screens import note_sight
from labeling.labels.audit_queries import blind_answers, waiting_hashes
from labeling.labels.models import ItemState, ReviewItem, Verdict
from labeling.quality.actions.assessments import wake_assessment
from labeling.quality.models import Audit, AuditRow
from labeling.quality.queries import draw_order, drawn_hashes, frame_texts
from labeling.runs.queries import measured_runs
from labeling.web.errors import ActionError

BATCH = 500


def draw_audit(*, dataset: Dataset, count: int, by: User | None) -> Audit:
    """Let `count` random texts of the audit frame wait for a person; those with a blind answer count at once.

    Texts that were drawn and withdrawn come back first, for without them the sample would not be one, and so do those
    that somebody answered who knew what others had said; `drawn` of the audit counts the new ones. Raises ActionError
    where the data set holds no frame or fewer texts than asked for.
    """
    _check(dataset, count)
    texts = count_texts(dataset.pk)
    with transaction.atomic():
        lock_queue(dataset)
        dataset.refresh_from_db(fields=["frame_until", "row_count", "archived_at"])
        frame, drawn = frame_texts(dataset), drawn_hashes(dataset.pk)
        back, left = _withdrawn(dataset, drawn), set(frame) - drawn
        _check_left(count, len(back) + len(left))
        fresh = draw_order(dataset.pk, left)[: max(0, count - len(back))]
        audit = _create_audit(dataset, len(fresh), len(frame), by)
        inclusion = min(1.0, (len(drawn) + len(fresh)) / max(1, texts))
        # All draws together are one sample: what was drawn before is as likely in it as what is drawn now.
        AuditRow.objects.filter(dataset=dataset).update(inclusion=inclusion)
        _create_rows(audit, fresh, inclusion=inclusion)
        known = blind_answers(dataset.pk, fresh)
        wanted = [*back[:count], *(one for one in fresh if one not in known)]
        _reopen_known(dataset, wanted)
        open_audit_items(dataset=dataset, hashes=wanted)
        for run in measured_runs(dataset.pk):
            wake_assessment(run=run)
    return audit


def withdraw_audit(*, dataset: Dataset) -> int:
    """Take the drawn texts that wait out of the queue, but for those that a run asks for; returns how many.

    They stay drawn: a draw that is not answered whole says nothing for sure, and the next one brings them back first.
    """
    with transaction.atomic():
        lock_queue(dataset)
        return withdraw_audit_items(dataset=dataset)


def _check(dataset: Dataset, count: int) -> None:
    if count < 1:
        raise ActionError(_("Draw at least one text."), field="count")
    if not dataset.is_ready or dataset.archived_at:
        raise ActionError(_("This data set is archived or still being imported."), field="dataset")
    if not dataset.frame_until:
        raise ActionError(_("This data set is too small for an audit: it needs five different texts."), field="dataset")


def _check_left(count: int, left: int) -> None:
    if count > left:
        text = ngettext("Only %(left)d text is left to draw.", "Only %(left)d texts are left to draw.", left)
        raise ActionError(text % {"left": left}, field="count")


def _withdrawn(dataset: Dataset, drawn: set[str]) -> list[str]:
    """Drawn texts without an answer that do not wait for one."""
    silent = drawn - blind_answers(dataset.pk, drawn).keys()
    return draw_order(dataset.pk, silent - waiting_hashes(dataset.pk, silent))


def _reopen_known(dataset: Dataset, hashes: Sequence[str]) -> None:
    """Texts whose own item was decided by somebody who knew what others had said wait again, for others first.

    A text has one such item: without this a draw would never be answered whole.
    """
    for low in range(0, len(hashes), BATCH):
        some = hashes[low : low + BATCH]
        known = ReviewItem.objects.filter(run=None, dataset=dataset, text_hash__in=some, state=ItemState.DECIDED)
        for item_id in list(known.select_for_update().order_by("id").values_list("id", flat=True)):
            seen = Verdict.objects.filter(item=item_id, has_seen_votes=True).order_by("user_id")
            for user_id in seen.values_list("user_id", flat=True).distinct():
                note_sight(user_id, [item_id])
            reopen(project=dataset.project, item_id=item_id)


def _create_audit(dataset: Dataset, drawn: int, frame: int, by: User | None) -> Audit:
    number = Audit.objects.filter(dataset=dataset).count() + 1
    return Audit.objects.create(dataset=dataset, number=number, drawn=drawn, frame_texts=frame, created_by=by)


def _create_rows(audit: Audit, hashes: Sequence[str], *, inclusion: float) -> None:
    for low in range(0, len(hashes), BATCH):
        texts = Sample.objects.filter(dataset=audit.dataset_id, text_hash__in=hashes[low : low + BATCH])
        found = texts.order_by("text_hash").values_list("text_hash").annotate(first=Min("id"), n=Count("id"))
        AuditRow.objects.bulk_create(
            AuditRow(
                audit=audit,
                dataset_id=audit.dataset_id,
                sample_id=sample_id,
                text_hash=text_hash,
                copies=copies,
                inclusion=inclusion,
                third=third_of(text_hash),
            )
            for text_hash, sample_id, copies in found
        )
