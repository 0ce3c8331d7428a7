"""The costs page: what was spent, when, on what, and every call. For managers only."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from labeling.llm import ledger
from labeling.llm.actions.budgets import set_cap
from labeling.llm.cost_queries import costs_of, ledger_block, ledger_page
from labeling.llm.forms import CapForm
from labeling.llm.queries import budget_of
from labeling.llm.sections import sections
from labeling.projects.access import Access, project_view
from labeling.projects.models import Project, Role
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to, render_page

BLOCK = 2_000  # rows a block of the file; chosen: about 300 kB


@require_GET
@project_view(Role.MANAGER)
def costs(request: HttpRequest, access: Access) -> HttpResponse:
    """Totals, cost against time, and a page of the ledger; htmx asks for the ledger alone."""
    run = _number(request, "run")
    page = ledger_page(access.project, run=run, before=_number(request, "before"), after=_number(request, "after"))
    context = access.context() | {"page": page, "run": run}
    if not is_fragment_request(request):
        found = costs_of(access.project)
        context |= {"costs": found, "cap_form": CapForm(cap_nano=found.outside.cap_nano), "outside": found.outside}
        context |= {"sections": sections(access.project, "llm:costs")}
    return render_page(request, "llm/costs.html", context, fragment="ledger")


def _number(request: HttpRequest, name: str) -> int | None:
    """A number of the address, None for none or what is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@require_POST
@project_view(Role.MANAGER)
def cap(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Set what may be asked outside runs at most."""
    form = CapForm(request.POST)
    if form.is_valid():
        try:
            set_cap(project=access.project, run=0, cap_nano=form.cap_nano())
        except ActionError as error:
            form.add_error("cap", error.message)
        else:
            messages.success(request, _("Saved."))
            return redirect_to(request, "llm:costs", slug=access.project.slug)
    context = access.context() | {"cap_form": form, "outside": budget_of(access.project.pk, 0)}
    return render_page(request, "llm/cap.html", context, fragment="cap", status=422)


@require_GET
@project_view(Role.MANAGER)
def ledger_csv(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Every call as a line of a CSV file, from its first block on."""
    run = _number(request, "run")
    blocks = _blocks(access.project, run)
    # Under ASGI Django would read a plain iterator to its end first.
    content = _awaited(blocks) if isinstance(request, ASGIRequest) else blocks
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    name = f"{access.project.slug}-calls.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _blocks(project: Project, run: int | None) -> Iterator[str]:
    yield ledger.head()
    after = 0
    while calls := ledger_block(project, run=run, after=after, size=BLOCK):
        yield ledger.lines(calls)
        after = calls[-1].pk


async def _awaited(blocks: Iterator[str]) -> AsyncIterator[str]:
    while block := await sync_to_async(_next)(blocks):
        yield block


def _next(blocks: Iterator[str]) -> str:
    return next(blocks, "")
