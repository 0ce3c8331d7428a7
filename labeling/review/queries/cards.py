"""Cards: a text with all that its annotator may know of it before deciding, and nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Value
from django.utils.crypto import salted_hmac

from labeling.datasets.queries import cells_of
from labeling.labels.actions.screens import DESK_SLOT
from labeling.labels.models import Consensus, Lease, ReviewItem
from labeling.labels.queries import audit_waits, blind_waits
from labeling.projects.models import Project, VotesShown
from labeling.review.models import Return, Skip
from labeling.review.queries.stale import is_blind
from labeling.runs.models import PoolMember
from labeling.web.prepared import Prepared

KEPT_BACK = 51
"""Of 256 texts so many keep their votes back for no reason: a fifth, as large a share as a frame ever has. Chosen."""


@dataclass(frozen=True, slots=True)
class ShownVote:
    """What a specialist of the pool said; no class where it abstained, then `reason` says why."""

    name: str
    version: int
    class_name: str
    slot: int
    probability: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """What a language model answered, in its own words; no class where it abstained."""

    model: str
    class_name: str
    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class SentBack:
    """Who sent the item back to this person, and why."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Card:
    """One item on the screen. A silent one has no reason, no votes (None) and no answers.

    `has_asking`: its votes are not here, and the page may ask for them.
    """

    item: ReviewItem
    until: str
    columns: list[tuple[str, str]]
    sent_back: SentBack | None
    was_skipped: bool
    is_silent: bool
    has_asking: bool
    reason: str
    votes: list[ShownVote] | None
    verifier: list[ShownAnswer]
    votes_shown: str

    @property
    def split(self) -> str:
        """How the specialists' votes fall, the most first: "2:1"; empty where they agree, or may not be told."""
        counts = Counter(vote.class_name for vote in self.votes or () if vote.class_name).most_common()
        return ":".join(str(count) for _name, count in counts) if len(counts) > 1 else ""


def cards_of(project: Project, user_id: int, item_ids: Sequence[int], until: datetime | None) -> list[Card]:
    """The cards in the order of the ids: one statement, a second one where votes may be shown."""
    if not item_ids:
        return []
    items = {item.pk: item for item in _items_of(project.pk, user_id, list(item_ids))}
    told = [] if project.votes_shown == VotesShown.NEVER else [pk for pk, item in items.items() if not _is_silent(item)]
    said = _said(told)
    end = until.isoformat() if until else ""
    return [
        _card(project, items[pk], said.get(pk), end, is_silent=_is_silent(items[pk])) for pk in item_ids if pk in items
    ]


def told_card(project: Project, user_id: int, item_id: int) -> Card | None:
    """The card of a text that the person holds, with reason, votes and answers; None where they are kept back.

    Asked for while texts of the audit frame wait. Those tell nothing, nor does one text in five drawn at random, so
    that who asks does not learn which are the frame's. Raises Lease.DoesNotExist for a text that the person lost.
    """
    held = Lease.objects.filter(item__project=project, slot__lt=DESK_SLOT)
    item_id = held.values_list("item_id", flat=True).get(item=item_id, user_id=user_id)
    [item] = _items_of(project.pk, user_id, [item_id])
    if project.votes_shown == VotesShown.NEVER or is_blind(item) or item.is_audit_open or is_drawn_to_hide(item):
        return None
    return _card(project, item, _said([item_id]).get(item_id), "", is_silent=False)


def may_show_votes(project: Project) -> bool:
    """Whether texts of the project that nobody answers blind have their votes beside them now."""
    waits = Project.objects.filter(audit_waits(OuterRef("pk")) | blind_waits(OuterRef("pk")), pk=project.pk)
    return project.votes_shown == VotesShown.SHOWN and not waits.exists()


def original_columns(item: ReviewItem, gold_column: str) -> list[tuple[str, str]]:
    """(name, cell) of the upload's other columns that hold anything, in their order.

    Not of the gold column: people's answers are compared with it.
    """
    cells = cells_of(item.dataset, item.sample.text, item.sample.cells)
    pairs = zip(item.dataset.columns, cells, strict=True)
    return [(name, cell) for name, cell in pairs if cell and name not in {item.dataset.text_column, gold_column}]


def _items(project_id: int, user_id: int, item_ids: Sequence[int]) -> "QuerySet[Any]":
    skips = Skip.objects.filter(item=OuterRef("pk"), user_id=user_id, ended_at=None)
    returns = Return.objects.filter(item=OuterRef("pk"), to_id=user_id, undo_id=None).order_by("-id")
    return (
        ReviewItem.objects.filter(pk__in=item_ids, project_id=project_id)
        .select_related("sample", "dataset")
        .annotate(
            was_skipped=Exists(skips),
            returned_by=Subquery(returns.values("by__username")[:1]),
            returned_why=Subquery(returns.values("reason")[:1]),
            is_audit_open=audit_waits(project_id),
            is_frame_open=blind_waits(project_id),
            gold_column=F("sample__upload__gold_column"),
        )
    )


def _is_silent(item: Any) -> bool:
    """While an audit or a text of its frame waits, no card tells anything: else the silent ones would be known."""
    return is_blind(item) or bool(item.is_audit_open or item.is_frame_open)


def is_drawn_to_hide(item: Any) -> bool:
    """Drawn with the site's own key, so that nobody can tell them from the frame's; the same each time."""
    return bool(item.is_frame_open) and salted_hmac("votes kept back", str(item.pk)).digest()[0] < KEPT_BACK


def _card(
    project: Project,
    item: Any,
    said: tuple[list[ShownVote], list[ShownAnswer]] | None,
    until: str,
    *,
    is_silent: bool,
) -> Card:
    is_mine_again = item.assignee_id is not None and item.returned_by is not None
    votes, answers = said or ([], [])
    may_ask = is_silent and bool(item.is_frame_open) and not item.is_audit_open
    return Card(
        item=item,
        until=until,
        columns=original_columns(item, item.gold_column),
        sent_back=SentBack(item.returned_by, item.returned_why) if is_mine_again else None,
        was_skipped=item.was_skipped,
        is_silent=is_silent,
        has_asking=may_ask and project.votes_shown != VotesShown.NEVER,
        reason="" if is_silent else item.get_reason_display(),
        votes=None if is_silent or project.votes_shown == VotesShown.NEVER else votes,
        verifier=answers,
        votes_shown=project.votes_shown,
    )


def _said(item_ids: Sequence[int]) -> dict[int, tuple[list[ShownVote], list[ShownAnswer]]]:
    """What the pool that voted last, and the language models of the item's run, said of each item's text."""
    if not item_ids:
        return {}
    said: dict[int, tuple[list[ShownVote], list[ShownAnswer]]] = {}
    for pk, version, name, class_name, slot, probability, reason in _votes_and_answers(list(item_ids)):
        votes, answers = said.setdefault(pk, ([], []))
        if version:
            votes.append(ShownVote(name, version, class_name or "", slot or 0, probability, reason))
        else:
            answers.append(ShownAnswer(name, class_name or "", slot or 0, reason))
    return said


def _votes(item_ids: Sequence[int]) -> "QuerySet[Any, tuple[Any, ...]]":
    current = Consensus.objects.filter(run=OuterRef("run"), sample=OuterRef("sample"), is_current=True)
    pool = PoolMember.objects.filter(
        generation__run=OuterRef("run"), generation__number=OuterRef("generation"), version=OuterRef("voter")
    )
    votes = ReviewItem.objects.filter(pk__in=item_ids).annotate(
        voter=F("sample__votes__version"), generation=Subquery(current.values("generation")[:1])
    )
    return (
        votes.filter(Exists(pool))
        .annotate(why=F("sample__votes__reason"))
        .values_list(
            "pk",
            "sample__votes__version__number",
            "sample__votes__version__specialist__name",
            "sample__votes__label_class__name",
            "sample__votes__label_class__slot",
            "sample__votes__top_probability",
            "why",
        )
        .order_by()
    )


def _answers(item_ids: Sequence[int]) -> "QuerySet[Any, tuple[Any, ...]]":
    answers = ReviewItem.objects.filter(pk__in=item_ids, run__answers__text_hash=F("text_hash"))
    return (
        answers.annotate(zero=Value(0))
        .values_list(
            "pk",
            "zero",
            "run__answers__model",
            "run__answers__label_class__name",
            "run__answers__label_class__slot",
            "run__answers__confidence",
            "run__answers__reason",
        )
        .order_by()
    )


_items_of = Prepared(_items)
_votes_and_answers = Prepared(lambda item_ids: _votes(item_ids).union(_answers(item_ids), all=True))
