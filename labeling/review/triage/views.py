"""The triage grid: texts with the same proposed class, confirmed together but for those that are left out."""

from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.labels.queries import pace_of
from labeling.projects.access import Access, project_view
from labeling.projects.guideline import render_guideline
from labeling.projects.models import Role
from labeling.projects.queries import guideline_text
from labeling.review.preferences.queries import screen_preferences
from labeling.review.triage.actions import GRID, Confirmed, confirm, let_go, take, take_back
from labeling.review.triage.forms import ConfirmForm, LookForm, TakeBackForm
from labeling.review.triage.memory import recall, remember
from labeling.review.triage.queries import last_confirmation, proposals_for, tiles_of, why_closed
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page
from labeling.web.wording import word_number

ARROWS = ("ArrowLeft", "ArrowRight")  # go from text to text, whatever else a person uses them for
SPARE = 2  # chosen: twice the grid is asked for, as somebody may take some in the same moment


@never_cache
@require_GET
@project_view(Role.ANNOTATOR)
def grid(request: HttpRequest, access: Access) -> HttpResponse:
    """The next texts for which the specialists propose one class."""
    return _show(request, access, LookForm(request.GET).wanted())


@require_POST
@project_view(Role.ANNOTATOR)
def confirm_grid(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Give the ticked texts the class, leave the others in the queue, and show the next ones."""
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    batch = form.batch()
    try:
        confirmed = confirm(project=access.project, user_id=_user(request).pk, batch=batch)
    except ActionError as error:
        messages.error(request, error.message)
    else:
        remember(request.session, access.project, held=[], out=batch.left_out)
        _tell(request, confirmed)
    return _next(request, access, batch.class_id)


@require_POST
@project_view(Role.ANNOTATOR)
def undo_grid(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Take the last confirmation back as a whole and show its texts again."""
    form = TakeBackForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    class_id = LookForm(request.POST).wanted()
    count = take_back(project=access.project, user_id=_user(request).pk, **form.cleaned_data)
    if count:
        text = ngettext("%(n)s text is back.", "%(n)s texts are back.", count)
        messages.success(request, text % {"n": word_number(count)})
    else:
        messages.info(request, _("There is nothing to undo."))
    return _next(request, access, class_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _next(request: HttpRequest, access: Access, class_id: int | None) -> HttpResponseBase:
    address = reverse("triage:grid", kwargs={"slug": access.project.slug})
    return redirect_to(request, f"{address}?label_class={class_id}" if class_id else address)


def _refuse(request: HttpRequest, access: Access, form: Form) -> HttpResponse:
    """Something that the grid's own forms never send."""
    fields = ", ".join(form.errors)
    messages.error(request, _("The answer could not be read (%(fields)s). Nothing was stored.") % {"fields": fields})
    return _show(request, access, LookForm(request.POST).wanted(), status=422)


def _tell(request: HttpRequest, confirmed: Confirmed) -> None:
    """What did not go as asked; what did stands on the page."""
    if confirmed.late:
        text = ngettext(
            "%(n)s text was decided or taken off meanwhile. Your answer is kept and changes nothing.",
            "%(n)s texts were decided or taken off meanwhile. Your answers are kept and change nothing.",
            confirmed.late,
        )
        messages.info(request, text % {"n": word_number(confirmed.late)})
    if confirmed.refused:
        text = ngettext(
            "%(n)s text cannot be confirmed with others any more.",
            "%(n)s texts cannot be confirmed with others any more.",
            confirmed.refused,
        )
        messages.info(request, text % {"n": word_number(confirmed.refused)})


def _show(request: HttpRequest, access: Access, class_id: int | None, status: int = 200) -> HttpResponse:
    project, user = access.project, _user(request)
    closed = why_closed(project)
    shown: dict[str, Any] = {} if closed else _on_the_grid(request, access, class_id)
    held = [tile.item_id for tile in shown.get("tiles", ())]
    before = recall(request.session, project)
    let_go(project=project, user_id=user.pk, item_ids=set(before.held) - set(held))
    remember(request.session, project, held=held)
    context = (
        access.context()
        | shown
        | {
            "closed": closed,
            "pace": pace_of(project, user.pk),
            "last": last_confirmation(project, user.pk),
            "guideline": render_guideline(guideline_text(project)),
            "keymap": screen_preferences(user.pk, ARROWS).keymap,
            "client_id": uuid4(),
            "undo_id": uuid4(),
        }
    )
    return render_page(request, "triage/grid.html", context, status=status)


def _on_the_grid(request: HttpRequest, access: Access, class_id: int | None) -> dict[str, Any]:
    """The proposals, and the texts of one class, which are leased to the person now."""
    project, user = access.project, _user(request)
    out = recall(request.session, project).out
    proposals = proposals_for(project, user.pk, class_id, out)
    taken = take(project=project, user_id=user.pk, item_ids=proposals.item_ids[: SPARE * GRID])
    return {"proposals": proposals, "tiles": tiles_of(taken.item_ids), "until": taken.until.isoformat()}
