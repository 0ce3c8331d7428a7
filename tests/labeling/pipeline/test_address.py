import socket

import pytest

from labeling.pipeline.address import (
    check_bind,
    is_loopback,
    only_one,
    open_socket,
    parse_bind,
    running_address,
    site_address,
)
from labeling.pipeline.supervise import backoff_s
from labeling.web.errors import ActionError


@pytest.mark.parametrize(
    ("bind", "found"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("localhost:80", ("localhost", 80)),
        ("[::1]:8000", ("::1", 8000)),
        ("0.0.0.0:9", ("0.0.0.0", 9)),
    ],
)
def test_an_address_is_read(bind, found):
    assert parse_bind(bind) == found


@pytest.mark.parametrize("bind", ["", "8000", ":8000", "localhost:", "localhost:x", "localhost:70000", "localhost:²"])
def test_what_is_no_address_is_refused(bind):
    with pytest.raises(ActionError, match=r"Write host:port"):
        parse_bind(bind)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_known(host, expected):
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("is_key", "are_hosts", "is_fine"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_s01_the_network_needs_both_key_and_hosts(settings, is_key, are_hosts, is_fine):
    settings.IS_KEY_GIVEN, settings.ARE_HOSTS_GIVEN = is_key, are_hosts
    check_bind("127.0.0.1")
    if is_fine:
        check_bind("0.0.0.0")
    else:
        with pytest.raises(ActionError, match="SECRET_KEY"):
            check_bind("0.0.0.0")


def test_the_address_is_one_that_a_browser_can_open(settings):
    settings.ALLOWED_HOSTS, settings.HTTPS = ["*", "label.example.org"], False
    assert site_address("0.0.0.0", 8000) == "http://label.example.org:8000"
    assert site_address("::1", 8000) == "http://[::1]:8000"
    settings.HTTPS = True
    assert site_address("0.0.0.0", 8000) == "https://label.example.org"


def test_the_lock_is_one_s_and_tells_the_address(tmp_path):
    assert running_address(tmp_path) is None
    with only_one(tmp_path, "http://here"):
        assert running_address(tmp_path) == "http://here"
        with pytest.raises(ActionError, match="running already: http://here"), only_one(tmp_path, "http://there"):
            pass
    assert running_address(tmp_path) is None


def test_a_foreign_host_cannot_be_bound():
    with pytest.raises(ActionError, match=r"192\.0\.2\.1:8000 cannot be opened"):
        open_socket("192.0.2.1", 8000)


def test_the_socket_listens():
    with open_socket("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()) as client:
        assert client.getpeername() == listener.getsockname()


def test_waits_double_up_to_half_a_minute():
    assert [backoff_s(deaths) for deaths in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
