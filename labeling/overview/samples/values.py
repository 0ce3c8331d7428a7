"""What the samples list can be asked for: values and their names in words."""

from dataclasses import dataclass, fields
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

from annotator_core.types import LabelSource

STATES = (
    ("", _("Any state")),
    ("accepted", _("Accepted by machine")),
    ("decided", _("Decided by a person")),
    ("unlabeled", _("Unlabeled")),
    ("review", _("To review")),
    ("returned", _("Sent back")),
    ("skipped", _("Skipped")),
    ("desk", _("On a reviewer's desk")),
    ("flagged", _("Flagged")),
    ("conflict", _("People disagree")),
)
SOURCES = (
    ("", _("Anybody")),
    (LabelSource.CONSENSUS.value, _("Specialists")),
    (LabelSource.VERIFIER.value, _("Verifier")),
    (LabelSource.FUSED.value, _("Specialists and verifier")),
    (LabelSource.IMPORTED.value, _("Imported")),
    (LabelSource.HUMAN.value, _("A person")),
    (LabelSource.ADJUDICATED.value, _("A reviewer")),
)
OTHER_THAN_LABEL, ABSTAINED = "other", "none"
VOTES = (("", _("Any vote")), (OTHER_THAN_LABEL, _("Another class than the label")), (ABSTAINED, _("Abstained")))
DISAGREEMENTS = (
    ("", _("Any")),
    ("specialists", _("Among the specialists")),
    ("verifier", _("Specialists and language model")),
    ("label", _("Specialists and label")),
    ("people", _("Among people")),
)


@dataclass(frozen=True, slots=True)
class FilterValues:
    """What the list is asked for; empty where nothing (or nothing known) was asked.

    `vote` is one of VOTES or a class's id, and counts only beside a `specialist`. The names are those of the address.
    """

    dataset: int | None = None
    state: str = ""
    source: str = ""
    label_class: int | None = None
    specialist: int | None = None
    vote: str = ""
    disagreement: str = ""
    annotator: int | None = None
    text: str = ""
    after: int | None = None
    before: int | None = None

    def query(self, **place: int | None) -> str:
        """The address's query with another place in the list: `after` or `before` a position, or neither."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in {"after", "before"}}
        return urlencode({name: value for name, value in (kept | place).items() if value not in (None, "")})

    @property
    def here(self) -> str:
        """The query of this page itself."""
        return self.query(after=self.after, before=self.before)

    @property
    def rare_count(self) -> int:
        """How many of the filters that stand under "More filters" are set."""
        return sum(bool(one) for one in (self.source, self.specialist, self.disagreement, self.annotator))

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.state or self.label_class or self.text or self.rare_count)
