"""The page "Review keys": a person's own preferences, and nobody else's."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labeling.projects.pages import show_error
from labeling.review.keymap import Action
from labeling.review.preferences.actions import save_keys, set_auto_advancing
from labeling.review.preferences.forms import AutoAdvanceForm, KeysForm
from labeling.review.preferences.queries import own_keys, preferences_of
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page
from labeling.web.requests import AuthedRequest


@never_cache
@require_http_methods(["GET", "POST"])
def keys(request: AuthedRequest) -> HttpResponseBase:
    """The keys of the review screen's actions; POST keeps them, verb "reset" goes back to the defaults."""
    if request.method == "GET":
        return _render(request)
    form = KeysForm(request.POST)
    is_reset = request.POST.get("verb") == "reset"
    if is_reset or form.is_valid():
        try:
            save_keys(user_id=request.user.pk, keys={} if is_reset else _chosen(form.cleaned_data))
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _("The default keys are back.") if is_reset else _("Keys saved."))
            return redirect_to(request, "review:keys")
    return _render(request, form)


@require_POST
def auto_advance(request: AuthedRequest) -> HttpResponseBase:
    """Turn going on by itself on or off; a script is answered with 204."""
    form = AutoAdvanceForm(request.POST)
    is_on = form.is_valid() and form.cleaned_data["is_auto_advancing"]
    set_auto_advancing(user_id=request.user.pk, is_on=is_on)
    if "application/json" in request.headers.get("Accept", ""):
        return HttpResponse(status=204)
    messages.success(request, _("Saved."))
    return redirect_to(request, "review:keys")


def _chosen(data: dict[str, Any]) -> dict[str, str]:
    return {action.value: data[action.value] for action in Action}


def _render(request: AuthedRequest, form: KeysForm | None = None) -> HttpResponse:
    stored = preferences_of(request.user.pk)
    shown = form or KeysForm(initial=own_keys(stored.keys))
    switch = AutoAdvanceForm(initial={"is_auto_advancing": stored.is_auto_advancing})
    context = {"form": shown, "switch": switch, "has_own": bool(stored.keys)}
    return render_page(request, "accounts/keys.html", context, status=422 if shown.errors else 200)
