"""The pages of connections to language models: list, add, one page each. For managers only."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.llm.access import access_connection
from labeling.llm.actions.connections import Given, add_connection, change_connection, retire_connection
from labeling.llm.actions.prices import Tariff, drop_price, set_price
from labeling.llm.actions.trying import try_connection
from labeling.llm.forms import ChangeConnectionForm, NewConnectionForm, PriceForm
from labeling.llm.models import Connection
from labeling.llm.page_queries import lines_of, page_of
from labeling.llm.sections import sections
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page


@require_GET
@project_view(Role.MANAGER)
def list_connections(request: HttpRequest, access: Access) -> HttpResponse:
    """All connections with their state, price and what they cost so far."""
    context = access.context() | {"lines": lines_of(access.project)}
    return render_page(request, "llm/list.html", context | {"sections": sections(access.project, "llm:connections")})


@sensitive_post_parameters("key")
@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def add(request: HttpRequest, access: Access) -> HttpResponseBase:
    """A new connection, which is tested next."""
    form = NewConnectionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            connection = add_connection(
                project=access.project,
                given=Given(**form.given()),
                key=form.cleaned_data["key"],
                tariff=Tariff(**form.tariff()),
                by=cast(User, request.user),
            )
        except ActionError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, _("The connection is saved. Test it before a run asks it."))
            return _to(request, connection)
    status = 422 if form.errors else 200
    return render_page(request, "llm/add.html", access.context() | {"form": form}, fragment="form", status=status)


@sensitive_post_parameters("key")
@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, connection_id: int) -> HttpResponseBase:
    """One connection: what it can do, its settings, prices and calls."""
    connection = access_connection(access.project, connection_id)
    form = ChangeConnectionForm(request.POST if request.method == "POST" else None, connection=connection)
    if request.method == "POST" and form.is_valid():
        try:
            change_connection(
                connection=connection,
                given=Given(**form.given()),
                key=form.cleaned_data["key"],
                is_key_removed=form.cleaned_data.get("remove_key", False),
            )
        except ActionError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, _("Saved."))
            return _to(request, connection)
    return _page(request, access, connection, {"form": form}, fragment="settings")


def _page(
    request: HttpRequest, access: Access, connection: Connection, forms: dict[str, Any], fragment: str
) -> HttpResponse:
    """The connection's page as it is stored, with the forms given; 422 where one of them holds an error."""
    status = 422 if any(form.errors for form in forms.values()) else 200
    if request.method == "POST":
        connection.refresh_from_db()
    ready = {"form": ChangeConnectionForm(connection=connection), "price_form": PriceForm()} | forms
    context = access.context() | {"connection": connection, "shown": page_of(connection)} | ready
    return render_page(request, "llm/connection.html", context, fragment=fragment, status=status)


def _to(request: HttpRequest, connection: Connection) -> HttpResponseBase:
    return redirect_to(request, "llm:connection", slug=connection.project.slug, connection_id=connection.pk)


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, connection_id: int, verb: str) -> HttpResponseBase:
    """Test the connection, or retire it."""
    connection = access_connection(access.project, connection_id)
    if verb == "retire":
        retire_connection(connection=connection)
        messages.success(request, _("Retired. Its key is forgotten; what it answered stays."))
        return redirect_to(request, "llm:connections", slug=access.project.slug)
    try:
        try_connection(connection=connection)
    except ActionError as error:
        messages.error(request, error.message)
    return _to(request, connection)


@require_POST
@project_view(Role.MANAGER)
def add_price(request: HttpRequest, access: Access, connection_id: int) -> HttpResponseBase:
    """A price from a day on; one of the same day is replaced."""
    connection = access_connection(access.project, connection_id)
    form = PriceForm(request.POST)
    if form.is_valid():
        try:
            set_price(
                connection=connection,
                tariff=Tariff(**form.tariff()),
                valid_from=form.cleaned_data["valid_from"],
                by=cast(User, request.user),
            )
        except ActionError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, _("The price is saved."))
            return _to(request, connection)
    return _page(request, access, connection, {"price_form": form}, fragment="prices")


@require_POST
@project_view(Role.MANAGER)
def drop(request: HttpRequest, access: Access, connection_id: int, price_id: int) -> HttpResponseBase:
    """Take a price out of the table."""
    connection = access_connection(access.project, connection_id)
    try:
        drop_price(connection=connection, price_id=price_id)
    except ActionError as error:
        messages.error(request, error.message)
    return _to(request, connection)
