"""What every response gets: headers, a sign-in that htmx understands, refusals and messages as toasts."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request
from labeling.web.views import action_refused

GetResponse = Callable[[HttpRequest], HttpResponseBase]
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def security_headers(get_response: GetResponse) -> GetResponse:
    """Set the headers that keep a page to itself, where a view has not set its own."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return answer


def htmx_login_redirect(get_response: GetResponse) -> GetResponse:
    """Send the whole page to sign-in when an htmx request meets it, and come back to that page, not to its part."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not is_fragment_request(request) or not _is_login_redirect(response):
            return response
        page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return HttpResponseClientRedirect(redirect_to_login(page, resolve_url(settings.LOGIN_URL)).url)

    return answer


def form_login_redirect(get_response: GetResponse) -> GetResponse:
    """Send who posted a plain form without a session to sign-in, then back to its page; told that nothing was stored.

    A script's own heartbeats and beacons ask for no page: nobody has sent them, and there is nothing to tell.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_form = request.method == "POST" and "text/html" in request.headers.get("Accept", "text/html")
        if not is_form or is_fragment_request(request) or not _is_login_redirect(response):
            return response
        messages.warning(request, _("Your session had ended: nothing of this was stored. Sign in and do it again."))
        page = urlsplit(_own_page(request))._replace(scheme="", netloc="").geturl()
        return redirect_to_login(page or "/", resolve_url(settings.LOGIN_URL))

    return answer


def _is_login_redirect(response: HttpResponseBase) -> bool:
    """Whether it leads to sign-in and back; signing out leads there, too, and to nothing after it."""
    target = urlsplit(response.headers.get("Location", ""))
    is_to_login = response.status_code in (301, 302, 303) and target.path == resolve_url(settings.LOGIN_URL)
    return is_to_login and REDIRECT_FIELD_NAME in parse_qs(target.query)


def _own_page(request: HttpRequest) -> str:
    """The page of this site that the request came from; nothing where it is another site's, or not told."""
    page = request.headers.get("Referer", "")
    is_own = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if is_own else ""


class _ActionErrors:
    """Show the message of an ActionError that a view let through: where the person was, else on a page of its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and is_fragment_request(request):
            _send_toasts(request, response)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if not isinstance(error, ActionError):
            return None
        page = _own_page(request)
        if page and request.method == "POST" and not is_fragment_request(request):
            messages.error(request, error.message)
            return redirect(page)
        return action_refused(request, error)


def action_errors(get_response: GetResponse) -> _ActionErrors:
    """Answer a refused action with 409 and its message; give htmx the waiting messages as toasts."""
    return _ActionErrors(get_response)


def _send_toasts(request: HttpRequest, response: HttpResponse) -> None:
    """Put the messages that no template showed into the `toasts` event; those before a redirect wait for its page."""
    patch_vary_headers(response, ["HX-Request"])
    waiting = messages.get_messages(request)
    if "HX-Redirect" in response or response.status_code in (301, 302, 303) or getattr(waiting, "used", True):
        return
    toasts: list[dict[str, Any]] = [{"level": message.level_tag, "text": str(message)} for message in waiting]
    if toasts:
        trigger_client_event(response, "toasts", {"toasts": toasts})
