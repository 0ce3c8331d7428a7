"""The Hub's API over HTTP, read as something that may be down, slow, or lie: each answer has a limit of bytes and time.

huggingface_hub's own calls have no limit of time and wait long for a 429; its session, headers and proxies are used.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

from annotator_core.errors import AnnotatorError, HubUnavailable, ModelNotFound, TryLater

if TYPE_CHECKING:
    from httpx2 import Response

PUBLIC_HUB: Final = "https://huggingface.co"
MAX_API_BYTES: Final = 8_000_000
"""Chosen: a page of a hundred models has some 100 kB, the largest list of one model's files a few MB."""
_SILENCE_S: Final = 10.0
"""Of one read; the whole answer has the hub's own limit."""
_WAIT_S: Final = (1.0, 60.0, 3_600.0)
"""How long a 429 makes us wait: at least, where it names no time, at most. Chosen."""
_LEFT: Final = re.compile(r"\bt=(\d{1,6})\b")

Params = Sequence[tuple[str, str]]


class ModelGated(ModelNotFound):
    """The model is there, but its terms were not accepted with the token at hand."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Where models are looked for. endpoint: None for the public Hub. timeout_s: of one whole answer."""

    endpoint: str | None = None
    token: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0

    @property
    def address(self) -> str:
        """The endpoint without a slash at its end."""
        return (self.endpoint or PUBLIC_HUB).rstrip("/")


def fetch_json(hub: Hub, path: str, params: Params = ()) -> object:
    """Return the JSON at a path of the hub. Raises as `fetch_bytes` does, HubUnavailable for what is no JSON."""
    try:
        return json.loads(fetch_bytes(hub, path, params))
    except (ValueError, RecursionError) as error:
        raise _strange(hub) from error


def fetch_bytes(hub: Hub, path: str, params: Params = (), max_bytes: int = MAX_API_BYTES) -> bytes:
    """Return what stands at a path of the hub, at most max_bytes.

    Raises ModelNotFound (unknown, private or deleted), ModelGated, TryLater (429) and HubUnavailable (down, slow, an
    error of its own, more bytes than allowed).
    """
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled
    from huggingface_hub.utils import build_hf_headers, get_session  # type: ignore[attr-defined]  # exported lazily

    end = monotonic() + hub.timeout_s
    try:
        with get_session().stream(
            "GET",
            hub.address + path,
            params=list(params),
            headers=build_hf_headers(token=hub.token),
            timeout=min(_SILENCE_S, hub.timeout_s),
        ) as response:
            _check_status(hub, response)
            return _read(hub, response, max_bytes, end)
    except (httpx2.HTTPError, httpx2.InvalidURL, OfflineModeIsEnabled) as error:
        raise HubUnavailable(
            f"The hub at {hub.address} does not answer ({type(error).__name__}): try again."
        ) from error


def _read(hub: Hub, response: "Response", max_bytes: int, end: float) -> bytes:
    body = bytearray()
    for block in response.iter_bytes():
        body += block
        if len(body) > max_bytes:
            raise HubUnavailable(f"The hub at {hub.address} answers with more than {max_bytes / 1e6:g} MB.")
        if monotonic() > end:
            raise HubUnavailable(f"The hub at {hub.address} is too slow: no answer within {hub.timeout_s:g} s.")
    return bytes(body)


def _check_status(hub: Hub, response: "Response") -> None:
    if response.status_code != 200:
        raise _find_error(hub, response)


def _find_error(hub: Hub, response: "Response") -> AnnotatorError:
    status, code = response.status_code, response.headers.get("X-Error-Code", "")
    if status == 429:
        wait = _find_wait(response)
        return TryLater(f"The hub at {hub.address} asks for a pause of {wait:.0f} s.", after_s=wait)
    if code == "GatedRepo":
        return ModelGated("Gated: accept its terms on the Hub and set HF_TOKEN.")
    if status in (401, 403, 404, 410):
        return ModelNotFound("The hub does not give it: deleted, private or renamed.")
    return HubUnavailable(f"The hub at {hub.address} answers with status {status}: try again.")


def _find_wait(response: "Response") -> float:
    """Seconds, by Retry-After or by the RateLimit header that the Hub sends (r requests left, t seconds)."""
    least, usual, most = _WAIT_S
    named = response.headers.get("Retry-After", "").strip()
    left = _LEFT.search(response.headers.get("RateLimit", ""))
    seconds = float(named) if named.isdecimal() and len(named) < 7 else float(left[1]) if left else usual
    return min(max(seconds, least), most)


def _strange(hub: Hub) -> HubUnavailable:
    return HubUnavailable(f"{hub.address} does not answer like a model hub: check the address.")


def expect_list(hub: Hub, value: object) -> list[object]:
    """Return the value, which must be a list; raise HubUnavailable where the hub sent something else."""
    if not isinstance(value, list):
        raise _strange(hub)
    return value


def expect_object(hub: Hub, value: object) -> dict[str, object]:
    """Return the value, which must be an object; raise HubUnavailable where the hub sent something else."""
    if not isinstance(value, dict):
        raise _strange(hub)
    return value
