"""The doorbell: tells workers to look. A dead broker never fails the caller; the sweepers find the work anyway."""

from functools import partial
from time import monotonic

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import KombuError

log = structlog.get_logger(__name__)
TASK = "labeling.bell"
QUIET_S = 10.0  # chosen: after a failure no request waits for the broker again for this long
# Without these kombu tries to connect for ever, whatever `retry=False` says.
ONE_TRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0, "socket_connect_timeout": 1}
_quiet_until: dict[str, float] = {}


def ring(queue: str) -> None:
    """Send the bell for `queue` once the open transaction has committed (at once when there is none)."""
    transaction.on_commit(partial(_send, queue))


def _send(queue: str) -> None:
    url = settings.CELERY_BROKER_URL
    if _quiet_until.get(url, 0.0) > monotonic():
        return
    try:
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | ({} if settings.IS_EMBEDDED_BROKER else ONE_TRY)
        with current_app.connection_for_write(url, transport_options=options) as connection:
            current_app.send_task(TASK, queue=queue, connection=connection, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        _quiet_until[url] = monotonic() + QUIET_S
        log.warning("bell not rung: workers will find the work within seconds", queue=queue, error=str(error))
