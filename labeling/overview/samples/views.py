"""The samples list, one sample's history, and texts sent back to the queue from either."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.overview.access import access_sample
from labeling.overview.samples.forms import FilterForm, ReturnForm
from labeling.overview.samples.page import find
from labeling.overview.samples.queries import choices_of
from labeling.overview.samples.returning import Returned, return_samples
from labeling.overview.samples.rows import rows_of
from labeling.overview.samples.story import story_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.web.rendering import SeeOther, render_page


@require_GET
@project_view(Role.REVIEWER)
def samples(request: HttpRequest, access: Access) -> HttpResponse:
    """The samples of one data set, filtered and paged."""
    known = choices_of(access.project)
    form = FilterForm(request.GET.dict(), known)
    values = form.values()
    datasets = known.datasets
    dataset = next((one for one in datasets if one.number == values.dataset), datasets[0] if datasets else None)
    context = access.context() | {"form": form, "values": values, "dataset": dataset, "return_form": ReturnForm()}
    if dataset:
        found = find(dataset, values)
        context |= {
            "page": found,
            "rows": rows_of(dataset, found.samples, specialist_id=values.specialist),
            "specialist": dict(known.specialists).get(values.specialist or 0),
            "next_query": values.query(after=found.after) if found.after is not None else "",
            "previous_query": values.query(before=found.before) if found.before is not None else "",
        }
    return render_page(request, "overview/samples.html", context, fragment="list")


@require_GET
@project_view(Role.REVIEWER)
def sample(request: HttpRequest, access: Access, sample_id: int) -> HttpResponse:
    """Everything that is known about one sample and may be told."""
    story = story_of(access_sample(access.project, sample_id))
    return render(request, "overview/sample.html", access.context() | {"sample": story.sample, "story": story})


@require_POST
@project_view(Role.REVIEWER)
def send_back(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Put the chosen rows' texts back into the queue, and show the page again that they were chosen on."""
    form = ReturnForm(request.POST)
    if not form.is_valid():
        fields = ", ".join(form.errors)
        messages.error(request, _("This could not be read (%(fields)s). Nothing was changed.") % {"fields": fields})
    elif not form.rows:
        messages.info(request, _("No row was chosen."))
    else:
        sent = form.cleaned_data
        user_id = cast(User, request.user).pk
        _tell(
            request,
            return_samples(
                project=access.project, sample_ids=form.rows, by_id=user_id, reason=sent["reason"], to_id=sent["to"]
            ),
        )
    return SeeOther(_page_before(access, form))


def _tell(request: HttpRequest, done: Returned) -> None:
    if done.back:
        text = ngettext("%(n)d text is back in the queue.", "%(n)d texts are back in the queue.", done.back)
        messages.success(request, text % {"n": done.back})
    if done.refused:
        text = ngettext("%(n)d text stayed: %(why)s", "%(n)d texts stayed: %(why)s", done.refused)
        messages.info(request, text % {"n": done.refused, "why": done.why})
    if done.unasked:
        text = ngettext(
            "%(n)d text stayed: no person was asked about it.",
            "%(n)d texts stayed: no person was asked about them.",
            done.unasked,
        )
        messages.info(request, text % {"n": done.unasked})


def _page_before(access: Access, form: ReturnForm) -> str:
    """The samples page that the form named, else the list."""
    samples_url = resolve_url("overview:samples", slug=access.project.slug)
    back = form.data.get("back", "")
    is_ours = back.startswith((f"{samples_url}?", f"{samples_url}/"))
    return back if is_ours and url_has_allowed_host_and_scheme(back, allowed_hosts=None) else samples_url
