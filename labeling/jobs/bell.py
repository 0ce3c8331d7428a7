"""The doorbell: tells workers to look. A dead broker never fails the caller; the sweepers find the work anyway."""

from functools import partial

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

log = structlog.get_logger(__name__)
TASK = "labeling.bell"


def ring(queue: str) -> None:
    """Send the bell for `queue` once the open transaction has committed (at once when there is none)."""
    transaction.on_commit(partial(_send, queue))


def _send(queue: str) -> None:
    try:
        current_app.send_task(TASK, queue=queue, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        log.warning("bell not rung: workers will find the work within seconds", queue=queue, error=str(error))
