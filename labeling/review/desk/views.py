"""The desk: texts on which people disagree, or which they handed over, one after the other before a reviewer."""

from typing import Any, cast
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.labels.actions.screens import NotInQueue
from labeling.labels.models import Finding, ItemState
from labeling.projects.access import Access, project_view
from labeling.projects.guideline import render_guideline
from labeling.projects.models import Project, Role
from labeling.projects.queries import active_classes, guideline_text
from labeling.review.access import access_item
from labeling.review.desk import undoing
from labeling.review.desk.actions import Ruling, keep, leave, rule, take_up
from labeling.review.desk.forms import AdjudicationForm, ItemForm, LeaveForm, LookForm, SendBackForm
from labeling.review.desk.pages import finding_key, kind_tabs
from labeling.review.desk.queries import (
    case_of,
    desk_leases,
    last_adjudicated,
    lease_end,
    progress_of,
    undoable_adjudication,
    undoable_return,
)
from labeling.review.forms import UndoForm
from labeling.review.preferences.queries import screen_preferences
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to, render_page


@never_cache
@require_GET
@project_view(Role.REVIEWER)
def screen(request: HttpRequest, access: Access) -> HttpResponse:
    """The text before the reviewer, or the next one."""
    return _show(request, access, **LookForm(request.GET).wanted())


@require_POST
@project_view(Role.REVIEWER)
def decide(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Adjudicate one text and show the next."""
    form = AdjudicationForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    sent = form.cleaned_data
    ruling = Ruling(
        item_id=sent["item"],
        class_id=sent["label_class"],
        client_id=sent["client_id"],
        finding=sent["finding"],
        note=sent["note"],
        has_seen_votes=sent["seen"],
        elapsed_ms=sent["elapsed_ms"],
    )
    try:
        rule(project=access.project, user_id=_user(request).pk, ruling=ruling)
    except NotInQueue as error:
        raise Http404(error.message) from error
    except ActionError as error:
        messages.error(request, error.message)
    return _next(request, access)


@require_POST
@project_view(Role.REVIEWER)
def send_back(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Put one text back into the queue, to everybody or to one person, and show the next."""
    form = SendBackForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    sent, by = form.cleaned_data, _user(request)
    item = access_item(access.project, sent["item"])
    try:
        undoing.send_back(project=access.project, item_id=item.pk, by_id=by.pk, reason=sent["reason"], to_id=sent["to"])
        messages.success(request, _("Sent back.") if sent["to"] else _("Back in the queue."))
    except ActionError as error:
        messages.error(request, error.message)
    return _next(request, access)


@require_POST
@project_view(Role.REVIEWER)
def undo(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Take the last adjudication, or the text sent back last, back and show it again."""
    form = UndoForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    try:
        mark = form.cleaned_data["client_id"]
        item = undoing.take_back_last(project=access.project, user_id=_user(request).pk, client_id=mark)
    except ActionError as error:
        messages.info(request, error.message)
        return _next(request, access)
    if item.state != ItemState.OPEN or not item.escalation:
        messages.success(request, _("Undone. The text is not on the desk."))
    return _next(request, access, item=item.pk)


@require_POST
@project_view(Role.REVIEWER)
def keep_text(request: HttpRequest, access: Access) -> HttpResponse:
    """Heartbeat of an open page: whether the text still lies before this reviewer."""
    form = ItemForm(request.POST)
    if not form.is_valid():
        raise Http404
    item_id, user = form.cleaned_data["item"], _user(request)
    is_kept = keep(project=access.project, user_id=user.pk, item_id=item_id)
    until = lease_end(item_id, user.pk) if is_kept else None
    return JsonResponse({"kept": is_kept, "until": until.isoformat() if until else None})


@require_POST
@project_view(Role.REVIEWER)
def leave_text(request: HttpRequest, access: Access) -> HttpResponse:
    """A page was left: its text is free for other reviewers."""
    form = LeaveForm(request.POST)
    if not form.is_valid():
        raise Http404
    sent = form.cleaned_data
    leave(project=access.project, user_id=_user(request).pk, item_id=sent["item"], until=sent["until"])
    return HttpResponse(status=204)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _next(request: HttpRequest, access: Access, **look: Any) -> HttpResponseBase:
    """The desk in the same answer for htmx, by a redirect without JavaScript; the chosen kind stays."""
    kept = LookForm(request.POST).wanted()
    look["kind"] = kept["kind"]
    if is_fragment_request(request):
        return _show(request, access, **look)
    query = urlencode({name: value for name, value in look.items() if value})
    address = reverse("desk:screen", kwargs={"slug": access.project.slug})
    return redirect_to(request, f"{address}?{query}" if query else address)


def _refuse(request: HttpRequest, access: Access, form: Form) -> HttpResponse:
    """The text again with what is wrong; nothing was stored."""
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))
    kept = LookForm(request.POST).wanted()
    return _show(request, access, kind=kept["kind"], item=kept["item"], status=422)


def _show(  # noqa: PLR0913 (what LookForm reads, by its names)
    request: HttpRequest,
    access: Access,
    *,
    kind: str | None = None,
    item: int | None = None,
    after: int | None = None,
    votes: bool | None = None,
    status: int = 200,
) -> HttpResponse:
    project, user = access.project, _user(request)
    found = take_up(project=project, user_id=user.pk, kind=kind, after=after, item_id=item)
    progress = progress_of(project, user.pk)
    until = lease_end(found.pk, user.pk) if found else None
    context = (
        access.context()
        | _tools(project, user)
        | {
            "case": case_of(project, found, with_votes=bool(votes)) if found else None,
            "progress": progress,
            "kind": kind or "",
            "kinds": kind_tabs(project, progress, kind or ""),
            "last": last_adjudicated(project, user.pk),
            "until": until.isoformat() if until else "",
            "can_undo": (undoable_adjudication(project, user.pk) or undoable_return(project, user.pk)) is not None,
            "others": [] if found else desk_leases(project, user.pk),
        }
    )
    return render_page(request, "desk/screen.html", context, fragment="desk", status=status)


def _tools(project: Project, user: User) -> dict[str, Any]:
    """What the desk has whatever lies on it: classes, keys, guideline, marks for what will be sent."""
    classes = active_classes(project)
    class_keys = [one.key for one in classes if one.key]
    keymap = screen_preferences(user.pk, class_keys).keymap
    return {
        "classes": classes,
        "keymap": keymap,
        "findings": Finding.choices,
        "finding_key": finding_key(keymap, class_keys),
        "guideline": render_guideline(guideline_text(project)),
        "client_id": uuid4(),
        "undo_id": uuid4(),
    }
