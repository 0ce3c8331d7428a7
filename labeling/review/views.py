"""The review screen: one text, one key, the next text."""

from typing import cast

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.labels.actions.verdicts import NotInQueue, decide, reopen, undo
from labeling.projects.access import Access, project_view
from labeling.projects.guideline import render_guideline
from labeling.projects.models import Role
from labeling.review.access import access_item
from labeling.review.actions import claim, keep, release, skip
from labeling.review.forms import DecisionForm, ItemForm, ReleaseForm, UndoForm
from labeling.review.queries import screen_of
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to, render_page


@never_cache
@require_GET
@project_view(Role.ANNOTATOR)
def screen(request: HttpRequest, access: Access) -> HttpResponse:
    """The text that the person holds, or the next one."""
    return _show(request, access)


@require_POST
@project_view(Role.ANNOTATOR)
def decide_item(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Store one answer and show the next text."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    sent = form.cleaned_data
    try:
        decide(
            item_id=sent["item"],
            project=access.project,
            user_id=_user(request).pk,
            class_id=sent["label_class"],
            client_id=sent["client_id"],
            elapsed_ms=sent["elapsed_ms"],
        )
    except NotInQueue as error:
        raise Http404(error.message) from error
    except ActionError as error:
        messages.error(request, error.message)
    return _next(request, access)


@require_POST
@project_view(Role.ANNOTATOR)
def skip_item(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Pass the text over and show the next one."""
    form = ItemForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    item = access_item(access.project, form.cleaned_data["item"])
    skip(project=access.project, user_id=_user(request).pk, item_id=item.pk)
    return _next(request, access)


@require_POST
@project_view(Role.ANNOTATOR)
def undo_last(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Take back the latest answer and show its text again."""
    form = UndoForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    try:
        undo(project=access.project, user_id=_user(request).pk, client_id=form.cleaned_data["client_id"])
    except ActionError as error:
        messages.info(request, error.message)
    return _next(request, access)


@require_POST
@project_view(Role.ANNOTATOR)
def keep_item(request: HttpRequest, access: Access) -> HttpResponse:
    """Heartbeat of a visible page: the lease's new end, or null when another person has the text now."""
    form = ItemForm(request.POST)
    if not form.is_valid():
        raise Http404
    until = keep(project=access.project, user_id=_user(request).pk, item_id=form.cleaned_data["item"])
    return JsonResponse({"until": until.isoformat() if until else None})


@require_POST
@project_view(Role.ANNOTATOR)
def release_items(request: HttpRequest, access: Access) -> HttpResponse:
    """A page was left: its text is free for others."""
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        raise Http404
    release(project=access.project, user_id=_user(request).pk, until=form.cleaned_data["until"])
    return HttpResponse(status=204)


@require_POST
@project_view(Role.MANAGER)
def free_items(request: HttpRequest, access: Access, user_id: int) -> HttpResponseBase:
    """A manager frees the texts on one person's screen (C05)."""
    count = release(project=access.project, user_id=user_id)
    messages.success(request, _("%(count)d freed for everybody.") % {"count": count})
    return _next(request, access)


@require_POST
@project_view(Role.REVIEWER)
def reopen_item(request: HttpRequest, access: Access, item_id: int) -> HttpResponseBase:
    """A reviewer puts a decided text back into the queue."""
    item = access_item(access.project, item_id)
    reopen(project=access.project, item_id=item.pk)
    messages.success(request, _("Back in the queue."))
    return redirect_to(request, "overview:sample", slug=access.project.slug, sample_id=item.sample_id)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _next(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The screen in the same answer for htmx, by a redirect without JavaScript."""
    if is_fragment_request(request):
        return _show(request, access)
    return redirect_to(request, "review:screen", slug=access.project.slug)


def _refuse(request: HttpRequest, access: Access, form: Form) -> HttpResponse:
    """Something that this screen's own forms never send."""
    fields = ", ".join(form.errors)
    messages.error(request, _("The answer could not be read (%(fields)s). Nothing was stored.") % {"fields": fields})
    return _show(request, access, status=422)


def _show(request: HttpRequest, access: Access, status: int = 200) -> HttpResponse:
    user = _user(request)
    held = claim(project=access.project, user_id=user.pk)
    item, until = (held[0].item, held[0].until) if held else (None, None)
    shown = screen_of(access.project, user, item, until)
    context = access.context() | {"screen": shown, "guideline": render_guideline(shown.guideline)}
    return render_page(request, "review/screen.html", context, fragment="screen", status=status)
