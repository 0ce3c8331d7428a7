"""Answers of views: a page, one part of it for htmx, or a redirect that both understand."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def is_fragment_request(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page (a boosted link asks for a whole one)."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted


def render_page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, fragment: str | None = None, status: int = 200
) -> HttpResponse:
    """The page, or only its partial named `fragment` when htmx asks; 422 is the status of an invalid form."""
    is_part = fragment is not None and is_fragment_request(request)
    response = render(request, f"{template}#{fragment}" if is_part else template, dict(context), status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


class SeeOther(HttpResponseRedirect):
    """A redirect after a POST: the browser gets the next page with GET."""

    status_code = 303


def redirect_to(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Send the browser to a view name, path or object; htmx is told to load it as a page."""
    url = resolve_url(to, *args, **kwargs)
    return HttpResponseClientRedirect(url) if is_fragment_request(request) else SeeOther(url)
