"""For operators and their machines: health, the doctor, and the banner that says that nobody works."""

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from labeling.overview.checks import doctor_checks, is_ready
from labeling.web.requests import AuthedRequest


@login_not_required
@never_cache
@require_GET
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """200 while the process answers."""
    return HttpResponse("live\n", content_type="text/plain; charset=utf-8")


@login_not_required
@never_cache
@require_GET
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """200 when the database answers and has all its tables, else 503."""
    is_fine = is_ready()
    text = "ready\n" if is_fine else "not ready\n"
    return HttpResponse(text, status=200 if is_fine else 503, content_type="text/plain; charset=utf-8")


@never_cache
@require_GET
def doctor(request: AuthedRequest) -> HttpResponse:
    """What is missing, and the command that mends it; for staff."""
    if not request.user.is_staff:
        raise PermissionDenied(_("Only the operators of this installation may see this page."))
    checks = doctor_checks()
    worst = next((state for state in ("bad", "attention") if any(one.state == state for one in checks)), "good")
    return render(request, "overview/doctor.html", {"checks": checks, "worst": worst})


@never_cache
@require_GET
def banner(request: HttpRequest) -> HttpResponse:
    """The banner alone, asked for every ten seconds."""
    return render(request, "overview/banner.html")
