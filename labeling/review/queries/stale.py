"""What a person is told whose answer came too late."""

from uuid import UUID

from django.utils.translation import gettext as _

from labeling.labels.models import ItemState, ReviewItem, Verdict, VerdictMode
from labeling.labels.queries import standing_verdict


def is_blind(item: ReviewItem) -> bool:
    """Whether nobody may learn of votes or of other people's answers: audits, and texts that several people answer."""
    return item.is_blind or item.needed > 1


def word_stale(mark: UUID) -> str:
    """Why the answer with this mark changed nothing, with both answers where the text is not blind."""
    mine = Verdict.objects.select_related("item", "label_class").get(client_id=mark)
    words = {"mine": mine.label_class.name if mine.label_class else ""}
    if mine.label_class and mine.label_class.is_retired and mine.item.state == ItemState.OPEN:
        return _("The class “%(mine)s” is not in use any more. Your answer is kept; choose another class.") % words
    happened = _own_later(mine) or _what_happened(mine.item)
    return f"{happened} {_('Your answer, “%(mine)s”, is kept and changes nothing.') % words}"


def _own_later(mine: Verdict) -> str:
    """What the same person said since, on another page or machine."""
    own = Verdict.objects.filter(item=mine.item_id, user=mine.user_id, is_current=True, is_undo=False, is_stale=False)
    later = own.exclude(mode=VerdictMode.ADJUDICATED).select_related("label_class").first()
    if later is None or later.label_class is None:
        return ""
    return _("You have answered this text elsewhere since: “%(class)s”.") % {"class": later.label_class.name}


def _what_happened(item: ReviewItem) -> str:
    if item.state == ItemState.WITHDRAWN:
        return _("This text was taken out of the queue meanwhile.")
    standing = None if is_blind(item) or item.state == ItemState.OPEN else standing_verdict(item)
    if standing is None or standing.label_class is None:
        return _("Another person had this text or had decided it meanwhile.")
    words = {"person": standing.user.get_username(), "class": standing.label_class.name}
    return _("%(person)s had decided this text meanwhile: “%(class)s”.") % words
