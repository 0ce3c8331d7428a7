"""Uploads are streamed to disk, counted while they come in, and end at once above the limit."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from labeling.datasets.space import full_message, is_disk_full

ERROR_KEY = "autoannotator.upload_error"
FORM_BYTES = 1024 * 1024
"""What a form may have beside its file (chosen)."""


def too_large_message() -> str:
    """What to say about a file above the limit."""
    limit = filesizeformat(settings.UPLOAD_MAX_BYTES)
    message = _("The file is larger than %(limit)s. Split it, or ask the operator to raise UPLOAD_MAX_BYTES.")
    return message % {"limit": limit}


def upload_error(request: HttpRequest) -> str:
    """Why the upload of this request was ended, empty when it was not."""
    return str(request.META.get(ERROR_KEY, ""))


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Writes to UPLOAD_FOLDER (FILE_UPLOAD_TEMP_DIR) and stops at UPLOAD_MAX_BYTES or when the disk is full."""

    received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Count and write one block. Raises StopUpload."""
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_MAX_BYTES:
            self._stop(too_large_message())
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            if not is_disk_full(error):
                raise
            self._stop(full_message())

    def _stop(self, message: str) -> None:
        if self.request is not None:
            self.request.META[ERROR_KEY] = message
        raise StopUpload(connection_reset=True)


class UploadLimit:
    """ASGI application in front of Django: answers 413 before or while a body above the limit comes in.

    Django itself reads the whole body of a request before any handler runs under ASGI (C26, C27).
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass everything on but bodies above the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = settings.UPLOAD_MAX_BYTES + FORM_BYTES
        if _announced(scope) > limit:
            await _refuse(send)
            return
        await self.app(scope, _counted(receive, send, limit), send)


def _announced(scope: Any) -> int:
    """Content-Length, 0 where there is none."""
    value = dict(scope["headers"]).get(b"content-length", b"0")
    return int(value) if value.isdigit() and len(value) < 18 else 0


def _counted(receive: Any, send: Any, limit: int) -> Any:
    """`receive` that ends a body without a length at the limit, as if the client had gone."""
    total = 0

    async def read() -> Any:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total <= limit:
            return message
        await _refuse(send)
        return {"type": "http.disconnect"}

    return read


async def _refuse(send: Any) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": too_large_message().encode()})
