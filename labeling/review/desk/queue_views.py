"""The queue's page: managers see what waits and where, free screens, put texts back and give them to people."""

from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.projects.access import Access, project_view
from labeling.projects.models import Project, Role
from labeling.projects.queries import memberships_of
from labeling.review.actions.queue import release
from labeling.review.actions.returns import Bulk, assign_items, give_items, return_items
from labeling.review.desk.actions import put_down
from labeling.review.desk.forms import ItemsForm, ListForm
from labeling.review.desk.pages import list_tabs
from labeling.review.desk.queue_queries import counts_of, holdings_of, lists_of, rows_of, totals_of
from labeling.web.rendering import redirect_to, render_page


@never_cache
@require_GET
@project_view(Role.MANAGER)
def queue(request: HttpRequest, access: Access) -> HttpResponse:
    """What waits, who holds what, and one of the lists."""
    project = access.project
    look = ListForm(request.GET).wanted()
    counts, name = counts_of(project), look["show"]
    page = rows_of(lists_of(project)[name], before=look["before"])
    older = urlencode({"show": name, "before": page.older}) if page.older else ""
    context = access.context() | {
        "totals": totals_of(project),
        "holdings": holdings_of(project),
        "show": name,
        "lists": list_tabs(project, counts, name),
        "page": page,
        "older_url": f"{_address(project)}?{older}" if older else None,
        "newest_url": f"{_address(project)}?{urlencode({'show': name})}" if look["before"] else None,
        "people": [membership.user for membership in memberships_of(project) if membership.user.is_active],
    }
    return render_page(request, "desk/queue.html", context, fragment="queue")


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, verb: str) -> HttpResponseBase:
    """Put the chosen texts back into the queue, give them to one person, or let everybody have them again."""
    form = ItemsForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return _back(request, access)
    sent, project, by = form.cleaned_data, access.project, cast(User, request.user)
    to = {"project": project, "item_ids": sent["item"]}
    if verb == "clear":
        bulk = assign_items(**to, to_id=None)
    elif verb == "return":
        bulk = return_items(**to, by_id=by.pk, reason=sent["reason"])
    elif sent["to"] is None:
        messages.error(request, _("Choose a person first."))
        return _back(request, access)
    else:
        bulk = give_items(**to, by_id=by.pk, to_id=sent["to"], reason=sent["reason"])
    _tell(request, verb, bulk)
    return _back(request, access)


@require_POST
@project_view(Role.MANAGER)
def free(request: HttpRequest, access: Access, user_id: int) -> HttpResponseBase:
    """Free the texts on one person's screen and desk (C05)."""
    count = release(project=access.project, user_id=user_id) + put_down(project=access.project, user_id=user_id)
    messages.success(request, _("%(count)d freed for everybody.") % {"count": count})
    return _back(request, access)


def _tell(request: HttpRequest, verb: str, bulk: Bulk) -> None:
    if bulk.done:
        told = {
            "return": ngettext("%(n)d text is back in the queue.", "%(n)d texts are back in the queue.", bulk.done),
            "give": ngettext(
                "%(n)d text is for this person alone.", "%(n)d texts are for this person alone.", bulk.done
            ),
            "clear": ngettext("%(n)d text is for everybody again.", "%(n)d texts are for everybody again.", bulk.done),
        }[verb]
        messages.success(request, told % {"n": bulk.done})
    if bulk.left:
        text = ngettext(
            "%(n)d text was left as it is: %(why)s", "%(n)d texts were left as they are: %(why)s", bulk.left
        )
        messages.error(request, text % {"n": bulk.left, "why": bulk.why})


def _back(request: HttpRequest, access: Access) -> HttpResponseBase:
    show = ListForm(request.POST).wanted()["show"]
    return redirect_to(request, f"{_address(access.project)}?{urlencode({'show': show})}")


def _address(project: Project) -> str:
    return reverse("desk:queue", kwargs={"slug": project.slug})
