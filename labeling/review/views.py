"""The review screen without JavaScript: one text, one form, the next text."""

from dataclasses import replace
from typing import cast

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.labels.models import Lease
from labeling.projects.access import Access, project_view
from labeling.projects.guideline import render_guideline
from labeling.projects.models import Role
from labeling.review.access import access_item
from labeling.review.actions import hold, release
from labeling.review.actions.sending import Kind, Sent, do
from labeling.review.forms import CommentForm, DecisionForm, FlagForm, ItemForm, ReleaseForm, UndoForm
from labeling.review.preferences.queries import screen_preferences
from labeling.review.queries import may_show_votes, screen_of, told_card
from labeling.review.queries.stale import is_blind
from labeling.web.rendering import redirect_to, render_page


@never_cache
@require_GET
@project_view(Role.ANNOTATOR)
def screen(request: HttpRequest, access: Access) -> HttpResponse:
    """The text that the person holds, or the next one."""
    return _show(request, access)


@never_cache
@require_GET
@project_view(Role.ANNOTATOR)
def show_votes(request: HttpRequest, access: Access, item_id: int) -> HttpResponse:
    """What was said of a text that the person holds, as a part of its card: cards without votes ask for them here."""
    try:
        card = told_card(access.project, _user(request).pk, item_id)
    except Lease.DoesNotExist as error:
        raise Http404(_("This text is not on your screen.")) from error
    return render_page(request, "review/told.html", {"card": card})


@require_POST
@project_view(Role.ANNOTATOR)
def decide_item(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Store one answer and show the next text."""
    return _do(request, access, Kind.DECIDE, DecisionForm(request.POST))


@require_POST
@project_view(Role.ANNOTATOR)
def skip_item(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Pass the text over and show the next one."""
    return _do(request, access, Kind.SKIP, ItemForm(request.POST))


@require_POST
@project_view(Role.ANNOTATOR)
def flag_item(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Hand the text to a reviewer and show the next one."""
    return _do(request, access, Kind.FLAG, FlagForm(request.POST))


@require_POST
@project_view(Role.ANNOTATOR)
def comment_item(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Keep a remark on the text, which stays on the screen."""
    return _do(request, access, Kind.COMMENT, CommentForm(request.POST))


@require_POST
@project_view(Role.ANNOTATOR)
def undo_last(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Take back the person's last answer, skip or flag and show its text again."""
    form = UndoForm(request.POST)
    if not form.is_valid():
        return _refuse(request, access, form)
    sent = Sent(Kind.UNDO, form.cleaned_data["client_id"])
    result = do(project=access.project, user_id=_user(request).pk, sent=sent)
    if result.message:
        messages.info(request, result.message)
    return _next(request, access)


@require_POST
@project_view(Role.ANNOTATOR)
def release_items(request: HttpRequest, access: Access) -> HttpResponse:
    """A page was left: its texts are free for others."""
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        raise Http404
    items, until = form.cleaned_data["items"], form.cleaned_data["until"]
    release(project=access.project, user_id=_user(request).pk, item_ids=items, until=until)
    return HttpResponse(status=204)


@require_POST
@project_view(Role.MANAGER)
def free_items(request: HttpRequest, access: Access, user_id: int) -> HttpResponseBase:
    """A manager frees the texts on one person's screen (C05)."""
    count = release(project=access.project, user_id=user_id)
    messages.success(request, _("%(count)d freed for everybody.") % {"count": count})
    return _next(request, access)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _do(request: HttpRequest, access: Access, kind: Kind, form: ItemForm) -> HttpResponseBase:
    """Do what the form says and show the next text."""
    if not form.is_valid():
        return _refuse(request, access, form)
    item, sent = access_item(access.project, form.cleaned_data["item"]), form.sent(kind)
    if not is_blind(item) and may_show_votes(access.project):
        sent = replace(sent, has_seen_votes=True)  # they stood beside the form
    result = do(project=access.project, user_id=_user(request).pk, sent=sent)
    if result.outcome == "refused":
        messages.error(request, result.message)
    elif result.message:
        messages.info(request, result.message)
    return _next(request, access)


def _next(request: HttpRequest, access: Access) -> HttpResponseBase:
    return redirect_to(request, "review:screen", slug=access.project.slug)


def _refuse(request: HttpRequest, access: Access, form: Form) -> HttpResponse:
    """Something that this screen's own forms never send."""
    fields = ", ".join(form.errors)
    messages.error(request, _("The answer could not be read (%(fields)s). Nothing was stored.") % {"fields": fields})
    return _show(request, access, status=422)


def _show(request: HttpRequest, access: Access, status: int = 200) -> HttpResponse:
    user = _user(request)
    held = hold(project=access.project, user_id=user.pk, n=1)
    shown = screen_of(access.project, user, next(iter(held.fresh), None), held.until)
    liked = screen_preferences(user.pk, [one.key for one in shown.classes])
    context = access.context() | {
        "screen": shown,
        "guideline": render_guideline(shown.guideline),
        "keymap": liked.keymap,
        "is_auto_advancing": liked.is_auto_advancing,
    }
    return render_page(request, "review/screen.html", context, status=status)
