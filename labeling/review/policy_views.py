"""The settings page's section on how people review."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from labeling.projects.access import Access, project_view
from labeling.projects.forms import ReviewForm
from labeling.projects.models import Role
from labeling.projects.pages import Sent, render_settings, show_error
from labeling.review.policy import save_policy
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to
from labeling.web.wording import word_number


@require_POST
@project_view(Role.MANAGER)
def save(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Store the section; a short queue follows before the answer, a long one in the background."""
    form = ReviewForm(request.POST)
    if form.is_valid():
        try:
            decided = save_policy(project=access.project, **form.cleaned_data)
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _said(decided))
            return redirect_to(request, "projects:settings", slug=access.project.slug)
    access.project.refresh_from_db()
    return render_settings(request, access, Sent(review=form))


def _said(decided: int | None) -> str:
    if decided is None:
        return _("Saved. The texts that wait follow in the background; the overview shows how far they are.")
    if not decided:
        return _("Saved.")
    text = ngettext(
        "Saved. %(n)s text had answers enough and is decided.",
        "Saved. %(n)s texts had answers enough and are decided.",
        decided,
    )
    return text % {"n": word_number(decided)}
