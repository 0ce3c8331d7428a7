"""The guard of outbound requests: an address is checked once and then connected to, never looked up again (SSRF).

Used for everything that a person may type as an endpoint. Source: CVE-2023-47116 (redirects and DNS rebinding),
CVE-2024-40441 and CVE-2022-31188 (endpoints of a project); docs/decisions/0026.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from annotator_core.errors import AddressRefused
from annotator_core.verifiers.deadline import Deadline, hold

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""What socket.getaddrinfo is."""

MAX_BODY_BYTES: Final = 1_048_576
"""Of one answer; chosen: a hundred times what a verdict needs."""
_PORTS: Final = {"http": 80, "https": 443}
_MAX_URL: Final = 2_000
_MAX_ADDRESSES: Final = 4
"""Addresses of one name that are tried, one after the other; chosen."""
_NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMBER: Final = re.compile(r"([0-9]+|0x[0-9a-f]*)")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")
_METADATA: Final = frozenset(
    ipaddress.ip_address(address)
    for address in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
"""Where clouds answer a machine about itself. The last is public by its number: Azure's."""


class BodyTooLarge(httpx2.RequestError):
    """An answer is larger than allowed; the rest of it was not read."""


@dataclass(frozen=True, slots=True)
class SafeAddress:
    """An address that may be called: host as it is named to the server, and the numbers it is reached at."""

    scheme: str
    host: str
    port: int
    numbers: tuple[str, ...]


def check_address(url: str, *, allow: Sequence[str] = (), resolve: Resolve = socket.getaddrinfo) -> SafeAddress:
    """Return where a URL leads if it may be called: http or https, no user in it, public at every number of its name.

    allow: hosts ("localhost") or hosts with a port ("localhost:8000"), as they are written in URLs, that may be
    private and may be numbers in any form. Raises AddressRefused, retryable where the name cannot be found just now.
    """
    parsed = _parse(url)
    host = parsed.raw_host.decode("ascii").lower()
    port = parsed.port or _PORTS[parsed.scheme]
    is_allowed = bool(_names(host, port) & {name.strip().casefold() for name in allow})
    if not is_allowed:
        _check_form(host)
    numbers = _look_up(host, port, resolve)
    if not is_allowed and not all(_is_public(number) for number in numbers):
        raise AddressRefused(
            f"{host:.200} is or leads to a private, local or reserved address. Such an address is called only "
            "where whoever runs this site has allowed its name."
        )
    return SafeAddress(parsed.scheme, host, port, tuple(str(number) for number in numbers[:_MAX_ADDRESSES]))


def open_http(address: SafeAddress, timeout_s: float, *, max_bytes: int = MAX_BODY_BYTES) -> httpx2.Client:
    """Return a client that reaches the checked address and nothing else; close it.

    No redirects, no proxies or passwords from the environment; an answer is read within timeout_s and up to max_bytes
    (else BodyTooLarge, a RequestError). A request to another host raises AddressRefused.
    """
    return httpx2.Client(
        transport=_Pinned(address, timeout_s, max_bytes), timeout=timeout_s, follow_redirects=False, trust_env=False
    )


def _parse(url: str) -> httpx2.URL:
    # Parsers disagree about the rest; none of it belongs into an address.
    if len(url) > _MAX_URL or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused("The address holds spaces, backslashes or control characters, or is too long.")
    try:
        parsed = httpx2.URL(url)
        has_user = bool(parsed.userinfo) or "@" in parsed.netloc.decode("ascii")
    except (httpx2.InvalidURL, ValueError) as error:
        raise AddressRefused("The address cannot be read: write it as https://host/v1.") from error
    if parsed.scheme not in _PORTS or not parsed.raw_host or not 0 < (parsed.port or 1) < 65_536:
        raise AddressRefused("The address must begin with https:// or http:// and name a host.")
    if has_user:
        raise AddressRefused("The address holds a user or password: a key has a field of its own.")
    return parsed


def _names(host: str, port: int) -> frozenset[str]:
    written = f"[{host}]" if ":" in host else host
    return frozenset((host, written, f"{written}:{port}"))


def _check_form(host: str) -> None:
    """Refuse a host that some readers take for a number though it is not written as one: 0x7f.1, 2130706433, 0177.1."""
    if _is_number(host):
        return
    last = host.rstrip(".").rpartition(".")[2]
    if not _NAME.fullmatch(host) or _NUMBER.fullmatch(last):
        raise AddressRefused(f"{host:.200} is no name and no address as it is usually written.")


def _is_number(host: str) -> bool:
    try:
        # A zone ("%eth0") names an interface of this machine: no name of a server has one.
        return bool(ipaddress.ip_address(host)) and "%" not in host
    except ValueError:
        return False


def _look_up(host: str, port: int, resolve: Resolve) -> list[IpAddress]:
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
        numbers = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    except (OSError, ValueError) as error:
        raise AddressRefused(f"{host:.200} cannot be found: check the address.", retryable=True) from error
    if not numbers:
        raise AddressRefused(f"{host:.200} cannot be found: check the address.", retryable=True)
    return list(dict.fromkeys(numbers))


def _is_public(number: IpAddress) -> bool:
    inner = _unwrap(number)
    if inner is not None:
        return _is_public(inner)
    is_special = (
        number.is_private
        or number.is_loopback
        or number.is_link_local
        or number.is_multicast
        or number.is_reserved
        or number.is_unspecified
        or number in _METADATA
        or getattr(number, "is_site_local", False)
    )
    return number.is_global and not is_special


def _unwrap(number: IpAddress) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for: mapped, compatible, 6to4, NAT64."""
    if isinstance(number, ipaddress.IPv4Address):
        return None
    if number.ipv4_mapped is not None or number.sixtofour is not None:
        return number.ipv4_mapped or number.sixtofour
    if number in _NAT64 or number in _COMPATIBLE:
        return ipaddress.IPv4Address(number.packed[-4:])
    return None


class _Pinned(httpx2.BaseTransport):
    """Connects to the checked numbers; name in Host and TLS stays the host's."""

    def __init__(self, address: SafeAddress, timeout_s: float, max_bytes: int) -> None:
        # One connection a call in flight: whoever paces the calls limits them.
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=30)
        self._inner = httpx2.HTTPTransport(limits=limits)
        self._address, self._timeout_s, self._max_bytes = address, timeout_s, max_bytes
        self._deadline = Deadline()
        hold(self._inner, self._deadline)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._check(request.url)
        self._deadline.ends_at = time.monotonic() + self._timeout_s
        response = self._connect(request)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # Asked not to: a small packed body may unpack to any size.
            response.close()
            raise BodyTooLarge("The answer is packed.", request=request)
        response.stream = _Capped(response.stream, self._max_bytes)
        return response

    def close(self) -> None:
        self._inner.close()

    def _check(self, url: httpx2.URL) -> None:
        wanted = self._address
        host, port = url.raw_host.decode("ascii").lower(), url.port or _PORTS.get(url.scheme)
        if (url.scheme, host, port) != (wanted.scheme, wanted.host, wanted.port):
            raise AddressRefused("A request would leave the checked address.")

    def _connect(self, request: httpx2.Request) -> httpx2.Response:
        *others, last = self._address.numbers
        for number in others:
            try:
                return self._inner.handle_request(self._point(request, number))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return self._inner.handle_request(self._point(request, last))

    def _point(self, request: httpx2.Request, number: str) -> httpx2.Request:
        headers = httpx2.Headers(request.headers)
        headers["Accept-Encoding"] = "identity"
        extensions = {**request.extensions, "sni_hostname": self._address.host.rstrip(".")}
        url = request.url.copy_with(host=number)
        return httpx2.Request(request.method, url, headers=headers, stream=request.stream, extensions=extensions)


class _Capped(httpx2.SyncByteStream):
    """A body that ends with an error past its size; past its time the connection itself does."""

    def __init__(self, inner: Any, max_bytes: int) -> None:
        self._inner, self._max_bytes = inner, max_bytes

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            if size > self._max_bytes:
                raise BodyTooLarge("The answer is too large.")
            yield chunk

    def close(self) -> None:
        self._inner.close()
