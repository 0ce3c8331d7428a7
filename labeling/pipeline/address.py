"""Where `up` listens: what may be bound, the socket, and the lock that keeps a second `up` off the data folder."""

import errno
import fcntl
import ipaddress
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from django.conf import settings
from django.utils.translation import gettext as _

from labeling.web.errors import ActionError

LOCK_NAME = "up.lock"
BACKLOG = 2048
PORT_WAIT_S = 3.0  # an old web process whose parent was killed leaves within this time


def parse_bind(bind: str) -> tuple[str, int]:
    """(host, port) of "127.0.0.1:8000", "localhost:8000" or "[::1]:8000". Raises ActionError."""
    host, colon, port = bind.strip().rpartition(":")
    host = host.strip("[]")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65_536):
        raise ActionError(_("“%(bind)s” is no address. Write host:port, such as 127.0.0.1:8000.") % {"bind": bind})
    return host, int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_bind(host: str) -> None:
    """Raises ActionError when the network could reach a site that still has its key and hosts from the first start."""
    if is_loopback(host) or (settings.IS_KEY_GIVEN and settings.ARE_HOSTS_GIVEN):
        return
    raise ActionError(
        _(
            "Others could reach the site on %(host)s. Set SECRET_KEY (a long random text of your own) and "
            "ALLOWED_HOSTS (the names under which people will open it) in the environment or in .env first, "
            "or leave --bind out to serve this machine only."
        )
        % {"host": host}
    )


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ActionError when the port is taken or the host is not of this machine."""
    end = monotonic() + PORT_WAIT_S
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or monotonic() > end:
                raise ActionError(_bind_problem(error, host, port)) from error
        sleep(0.1)


def _listen(host: str, port: int) -> socket.socket:
    family, _type, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _bind_problem(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        text = _("Port %(port)d is taken by another program. Choose another one: --bind %(host)s:%(next)d")
        return text % {"port": port, "host": host, "next": port + 1}
    if error.errno == errno.EACCES:
        return _("Port %(port)d needs more rights. Choose one above 1023, such as 8000.") % {"port": port}
    return _("%(host)s:%(port)d cannot be opened: %(reason)s.") % {"host": host, "port": port, "reason": error.strerror}


def site_address(host: str, port: int) -> str:
    """The address for a person's browser, such as http://127.0.0.1:8000."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        host = next((name for name in settings.ALLOWED_HOSTS if name.strip("*.")), "localhost").lstrip("*.")
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if settings.HTTPS:
        return f"https://{name}"
    return f"http://{name}:{port}"


@contextmanager
def only_one(data: Path, address: str) -> Iterator[None]:
    """Hold the data folder's lock, with the address written into it. Raises ActionError when another `up` holds it."""
    with (data / LOCK_NAME).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            running = running_address(data) or _("another address")
            raise ActionError(
                _("The site of this data folder (%(data)s) is running already: %(address)s")
                % {"data": data, "address": running}
            ) from error
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "address": address}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def running_address(data: Path) -> str | None:
    """The address of the `up` that serves this data folder, if one does."""
    try:
        with (data / LOCK_NAME).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # what nobody holds was left by a killed one
        return None
    except BlockingIOError:
        pass
    except FileNotFoundError:
        return None
    try:
        return str(json.loads((data / LOCK_NAME).read_text(encoding="utf-8"))["address"])
    except ValueError:  # it has just started and not written yet
        return None
