"""Label sets that many projects start from."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from labeling.projects.actions import ClassSpec
from labeling.projects.class_lines import format_class_lines


@dataclass(frozen=True, slots=True)
class Preset:
    """A named label set: classes as (name, description) and a guideline to go on from."""

    slug: str
    label: "str | Promise"
    classes: tuple[tuple["str | Promise", "str | Promise"], ...]
    guideline: "str | Promise"

    @property
    def lines(self) -> str:
        """The classes as the form's text field wants them."""
        return format_class_lines(ClassSpec(str(name), str(description)) for name, description in self.classes)


PRESETS = (
    Preset(
        "sentiment",
        _("Sentiment"),
        (
            (_("negative"), _("The writer is unhappy with what the text is about")),
            (_("neutral"), _("A fact, a question, or praise and blame in balance")),
            (_("positive"), _("The writer is happy with what the text is about")),
        ),
        _(
            "## What counts\n\nDecide what the **writer** feels, not what you would feel.\n\n"
            "- Irony counts as what is meant.\n- Praise and blame in one text: what weighs more for the writer.\n"
            "- No feeling to be seen: neutral."
        ),
    ),
    Preset(
        "toxicity",
        _("Toxicity"),
        (
            (_("acceptable"), _("Rude or not: nobody is insulted, threatened or put down")),
            (_("toxic"), _("Insults, threatens or puts down a person or a group")),
        ),
        _(
            "## What counts\n\nWould a reasonable person leave the conversation because of this text? "
            "Then it is toxic.\n\n"
            "- Swear words alone are not toxic.\n- Quoting or reporting an insult is not an insult."
        ),
    ),
    Preset(
        "spam",
        _("Spam"),
        ((_("wanted"), _("Written for its reader")), (_("spam"), _("Sent to many to sell, to trick or to be seen"))),
        _("## What counts\n\nSpam was not written for the one who reads it. A clumsy but honest message is wanted."),
    ),
    Preset(
        "topics",
        _("Topics"),
        (
            (_("politics"), _("Government, elections, laws")),
            (_("business"), _("Companies, markets, work")),
            (_("technology"), _("Computers, science, inventions")),
            (_("sport"), _("Games, athletes, results")),
            (_("culture"), _("Books, film, music, art")),
            (_("other"), _("None of these")),
        ),
        _(
            "## What counts\n\nOne topic a text: the one it would stand under in a newspaper. "
            "In doubt, the first sentence decides."
        ),
    ),
)


def preset_named(slug: str) -> Preset | None:
    """The preset, None when there is none of that name."""
    return next((preset for preset in PRESETS if preset.slug == slug), None)
