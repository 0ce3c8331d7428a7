"""Error pages, reports of the browser, the favicon and the page of all parts."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from labeling.web.csp import MAX_BODY_BYTES, keep_violations, parse_reports
from labeling.web.errors import ActionError
from labeling.web.gallery import gallery_context
from labeling.web.rendering import is_fragment_request
from labeling.web.requests import AuthedRequest


def error_page(request: HttpRequest, status: HTTPStatus, title: str, text: str) -> HttpResponse:
    """An answer with `status` that says what happened and what to do: a page, or for htmx the text, shown as a toast.

    The page is drawn without the request, so that a broken database or session cannot break it too.
    """
    if is_fragment_request(request):
        response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    else:
        response = HttpResponse(
            render_to_string("web/error.html", {"status": status.value, "title": title, "text": text}), status=status
        )
    patch_vary_headers(response, ["HX-Request"])
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """400: the request itself is wrong."""
    text = _("The request could not be understood. Go back, reload the page and try again.")
    return error_page(request, HTTPStatus.BAD_REQUEST, _("That request was not right"), text)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but not allowed; the message of the exception is for the person."""
    text = str(exception or "") or _("Your role does not allow this. Ask a manager of the project if you need it.")
    return error_page(request, HTTPStatus.FORBIDDEN, _("You may not open this page"), text)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """404: nothing here, or nothing that this person may know of."""
    text = _("The address may be mistyped, the page may be gone, or you are not a member of its project.")
    return error_page(request, HTTPStatus.NOT_FOUND, _("There is no such page"), text)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault."""
    text = _("Something went wrong on the server. What was stored before is safe. Try again, or tell the operator.")
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, _("That did not work"), text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """403: the form's token is missing or old. A JSON letter is told so in JSON, to come again with a new token."""
    if request.content_type == "application/json":
        return JsonResponse({"error": _("The page's token is old."), "csrf": True}, status=HTTPStatus.FORBIDDEN)
    text = _("The form was open for too long or cookies are off. Go back, reload the page and send it again.")
    return error_page(request, HTTPStatus.FORBIDDEN, _("The form has expired"), text)


def action_refused(request: HttpRequest, error: ActionError) -> HttpResponse:
    """409: an action refused, and no view showed why."""
    return error_page(request, HTTPStatus.CONFLICT, _("That is not possible now"), error.message)


@csrf_exempt
@login_not_required
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """204 for a report of the browser; it is logged. 400 for anything else."""
    try:
        body = request.read(MAX_BODY_BYTES + 1)
        violations = parse_reports(body) if len(body) <= MAX_BODY_BYTES else []
    except (ValueError, RequestDataTooBig):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    keep_violations(violations)
    return HttpResponse(status=HTTPStatus.NO_CONTENT if violations else HTTPStatus.BAD_REQUEST)


@login_not_required
@require_GET
@cache_control(max_age=86_400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """Browsers ask for /favicon.ico whatever the page says: send them to the drawn one."""
    return HttpResponsePermanentRedirect(staticfiles_storage.url("favicon.svg"))


@require_GET
def components(request: AuthedRequest) -> HttpResponse:
    """Every part of the pages in both themes, for staff."""
    if not request.user.is_staff:
        raise PermissionDenied(_("Only the operators of this installation may see this page."))
    return render(request, "web/components.html", gallery_context())
