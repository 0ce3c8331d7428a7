"""What every page shows beside its own content."""

from typing import Any

from django.http import HttpRequest

from labeling.jobs.queries import silent_queues


def banners(request: HttpRequest) -> dict[str, Any]:
    """`silent_queues`: queues with work but without a living worker, asked for only where a template shows it (C23)."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"silent_queues": _sorted_queues, "is_signed_in": True}


def _sorted_queues() -> list[str]:
    return sorted(silent_queues())
