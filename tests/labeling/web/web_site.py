"""A small site on top of the kit: views that fail in every way, for the tests of pages and middleware."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to


def _raises(error):
    @login_not_required
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


@login_not_required
def tell(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Saved, “naïve” text")
    return HttpResponse("part")


@login_not_required
def tell_and_leave(request: HttpRequest) -> HttpResponse:
    messages.success(request, "Saved")
    return redirect_to(request, "members-only")


def members_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse("inside")


urlpatterns = [
    path("", include("labeling.conf.urls")),
    path("denied", _raises(PermissionDenied("Only managers <b>may</b>."))),
    path("wrong", _raises(SuspiciousOperation("x"))),
    path("broken", _raises(RuntimeError("secret detail"))),
    path("refused", _raises(ActionError("Stop the run <first>."))),
    path("tell", tell),
    path("tell-and-leave", tell_and_leave),
    path("members-only", members_only, name="members-only"),
]
handler400 = "labeling.web.views.bad_request"
handler403 = "labeling.web.views.permission_denied"
handler404 = "labeling.web.views.page_not_found"
handler500 = "labeling.web.views.server_error"
