"""Requests as the views see them."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from labeling.accounts.models import User


class PageRequest(HttpRequest):
    """Any request: `htmx` tells whether htmx asks, and for what."""

    htmx: HtmxDetails


class AuthedRequest(PageRequest):
    """A request of somebody who is signed in."""

    user: "User"
