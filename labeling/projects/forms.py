"""Forms about projects, classes, guidelines and members."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.projects.actions import ClassSpec
from labeling.projects.actions.invitations import PLACES_AT_MOST
from labeling.projects.actions.policy import OVERLAP_AT_MOST
from labeling.projects.class_lines import parse_class_lines
from labeling.projects.models import PALETTE_SLOTS, LabelClass, Project, ReviewOrder, Role, VotesShown
from labeling.web.errors import ActionError

GUIDELINE_HELP = gettext_lazy("Markdown. Annotators open it with the key g. Say what counts as what, with examples.")
CLASSES_HELP = gettext_lazy("name | description | key. Leave the key out to get 1, 2, 3 ...")
INVITATION_DAYS = [
    (1, gettext_lazy("one day")),
    (7, gettext_lazy("a week")),
    (30, gettext_lazy("thirty days")),
    (90, gettext_lazy("ninety days")),
]
CLASSES_EXAMPLE = gettext_lazy("complaint | Something went wrong\npraise | Somebody is happy")


class DetailsForm(forms.Form):
    """Name and description of a project."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs={"dir": "auto"}))
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
        help_text=gettext_lazy("What is labeled, and what for."),
    )


class NewProjectForm(DetailsForm):
    """A whole new project."""

    classes = forms.CharField(
        label=gettext_lazy("One class a line"),
        help_text=CLASSES_HELP,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto", "spellcheck": "false", "placeholder": CLASSES_EXAMPLE}),
    )
    guideline = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        help_text=GUIDELINE_HELP,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}),
    )

    def clean_classes(self) -> list[ClassSpec]:
        """At least two classes, as specs."""
        try:
            specs = parse_class_lines(self.cleaned_data["classes"])
        except ActionError as error:
            raise forms.ValidationError(error.message) from error
        if len(specs) < 2:
            raise forms.ValidationError(_("A project needs at least two classes, one a line."))
        return specs


class ClassForm(forms.Form):
    """One class: new, or (with `label_class`) as it is."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, widget=forms.TextInput(attrs={"dir": "auto"}))
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )
    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=1,
        required=False,
        help_text=gettext_lazy("1-9 or a letter; u s f c g v belong to the review screen."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "key-input"}),
    )
    slot = forms.TypedChoiceField(
        label=gettext_lazy("Colour"),
        choices=[(slot, str(slot + 1)) for slot in range(PALETTE_SLOTS)],
        coerce=int,
        required=False,
        empty_value=None,
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, label_class: LabelClass | None = None) -> None:
        initial = {}
        if label_class is not None:
            initial = {name: getattr(label_class, name) for name in ("name", "description", "key", "slot")}
        super().__init__(data, initial=initial, auto_id=f"class-{label_class.pk if label_class else 'new'}-%s")


class GuidelineForm(forms.Form):
    """The guideline."""

    guideline = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        help_text=GUIDELINE_HELP,
        widget=forms.Textarea(attrs={"rows": 14, "dir": "auto"}),
    )


class ReviewForm(forms.Form):
    """How a project's people review."""

    review_order = forms.ChoiceField(
        label=gettext_lazy("Order"),
        choices=ReviewOrder.choices,
        help_text=gettext_lazy("Texts of an audit are mixed in at random under every order, and look like the others."),
    )
    overlap = forms.IntegerField(
        label=gettext_lazy("People who answer a text"),
        min_value=1,
        max_value=OVERLAP_AT_MOST,
        help_text=gettext_lazy("More than one: nobody sees votes or others' answers; a reviewer settles conflicts."),
    )
    audit_overlap = forms.IntegerField(
        label=gettext_lazy("People who answer a text of an audit"),
        min_value=1,
        max_value=OVERLAP_AT_MOST,
        help_text=gettext_lazy("Two show how far people agree; one halves the work."),
    )
    votes_shown = forms.ChoiceField(
        label=gettext_lazy("The specialists' votes before an answer"),
        choices=VotesShown.choices,
        help_text=gettext_lazy(
            "Who sees votes tends to follow them. Texts of an audit or for several people show none; while texts of "
            "the audit frame wait, one in five of the others keeps them back, too."
        ),
    )
    is_harsh = forms.BooleanField(
        label=gettext_lazy("The texts are hard to bear: blur them until somebody looks, and remind of breaks"),
        required=False,
    )

    @classmethod
    def of(cls, project: Project) -> "ReviewForm":
        """The form as the project stands."""
        return cls(initial={name: getattr(project, name) for name in cls.base_fields})


class MemberForm(forms.Form):
    """A person by user name, and a role that is not above the asker's own."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("A name that is new here becomes a new account."),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.ANNOTATOR)

    def __init__(self, data: Mapping[str, Any] | None = None, *, by: Role) -> None:
        super().__init__(data)
        cast(forms.ChoiceField, self.fields["role"]).choices = roles_up_to(by)


class InvitationForm(forms.Form):
    """A link: its role (not above the asker's own), for how many people, for how long."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), initial=Role.ANNOTATOR)
    places = forms.IntegerField(label=gettext_lazy("People"), initial=1, min_value=1, max_value=PLACES_AT_MOST)
    days = forms.TypedChoiceField(
        label=gettext_lazy("Works for"), choices=INVITATION_DAYS, coerce=int, initial=INVITATION_DAYS[1][0]
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, by: Role) -> None:
        super().__init__(data, auto_id="invite-%s")
        cast(forms.ChoiceField, self.fields["role"]).choices = roles_up_to(by)


class JoinForm(forms.Form):
    """The account that somebody makes who came by an invitation."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        help_text=gettext_lazy("The project's people see it beside your decisions."),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=4_096,
        strip=False,
        help_text=gettext_lazy("At least ten characters."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same again"),
        max_length=4_096,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse two different passwords."""
        data = self.cleaned_data
        if data.get("password") != data.get("again"):
            self.add_error("again", _("The two are not the same."))
        return data


def roles_up_to(by: Role) -> list[tuple[str, str]]:
    """The roles that a person of role `by` may give, as choices."""
    return [(role.value, str(role.label)) for role in Role if role.rank <= by.rank]
