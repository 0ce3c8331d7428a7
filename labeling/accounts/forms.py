"""Forms about people."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.accounts.models import User


class PasswordForm(forms.Form):
    """A new password, typed twice, and the one before it from somebody who signed in with it."""

    current = forms.CharField(
        label=_("Current password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = forms.CharField(
        label=_("New password"),
        help_text=_("At least ten characters."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, user: User, is_current_asked: bool) -> None:
        super().__init__(data)
        self.user = user
        if not is_current_asked:
            del self.fields["current"]

    def clean_current(self) -> str:
        """A session left open is not enough to lock its owner out."""
        current: str = self.cleaned_data["current"]
        if not self.user.check_password(current):
            raise forms.ValidationError(_("This is not your current password."))
        return current

    def clean(self) -> dict[str, Any]:
        """Refuse two different passwords."""
        data = self.cleaned_data
        if data.get("password") != data.get("again"):
            self.add_error("again", _("The two are not the same."))
        return data
