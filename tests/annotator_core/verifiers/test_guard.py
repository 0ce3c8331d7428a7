"""The guard of outbound requests: what may be called, and that nothing else is connected to. Cases S03, S12, S13."""

import gzip
import socket
from collections.abc import Callable, Iterator

import httpx2
import pytest
from pytest_socket import SocketConnectBlockedError

from annotator_core.errors import AddressRefused
from annotator_core.fakes.openai_answers import make_answerer
from annotator_core.fakes.openai_script import OpenAIScript, Step, fail, send
from annotator_core.fakes.openai_server import FakeOpenAI
from annotator_core.verifiers.guard import BodyTooLarge, SafeAddress, check_address, open_http

PUBLIC = "93.184.216.34"


def _resolver(*answers: str) -> Callable[..., list]:
    """Return a name server that gives these numbers, one a question, and the last for ever."""
    left = list(answers)

    def resolve(host: str, port: int, *_args: object, **_options: object) -> list:
        numbers = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in numbers.split()]

    return resolve


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(OpenAIScript(make_answerer(("no", "yes")))) as running:
        yield running


def _open(server: FakeOpenAI, **options) -> httpx2.Client:
    return open_http(check_address(server.url, allow=("127.0.0.1",)), 5.0, **options)


def test_a_public_address_is_given_with_its_numbers() -> None:
    found = check_address("https://Api.Example.com/v1", resolve=_resolver(f"{PUBLIC} 2606:2800:220:1::1"))
    assert found == SafeAddress("https", "api.example.com", 443, (PUBLIC, "2606:2800:220:1::1"))
    assert check_address(f"http://{PUBLIC}:8000/v1", resolve=_resolver(PUBLIC)).port == 8000


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST.",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "%31%32%37.0.0.1",
    ],
)
def test_s03_no_form_of_a_private_address_is_called(host: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_address(f"http://{host}/v1", resolve=_resolver("127.0.0.1") if "host" in host.lower() else _literal)
    assert not caught.value.retryable


def _literal(host: str, port: int, **options: object) -> list:
    """Resolve numbers as the system does, and whatever else to the loopback."""
    try:
        return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, **options)
    except OSError:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://api.example.com",
        "file:///etc/passwd",
        "gopher://api.example.com",
        "//api.example.com/v1",
        "api.example.com/v1",
        "",
        "http://",
        "http:///v1",
        "http://user@api.example.com",
        "http://user:word@api.example.com",
        "http://api.example.com:80\\@127.0.0.1/",
        "http://api.example.com /v1",
        "http://api.example.com\r\nHost: a",
        "http://api.example.com:99999999/",
        "http://a..b/",
        "http://[::1/",
        "http://" + "a" * 3_000,
    ],
)
def test_s03_only_plain_web_addresses_are_called(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url, resolve=_resolver(PUBLIC))


def test_s03_one_private_number_of_a_name_is_too_many() -> None:
    with pytest.raises(AddressRefused, match="is or leads to a private"):
        check_address("https://api.example.com", resolve=_resolver(f"{PUBLIC} 10.0.0.1"))


def test_a_name_that_cannot_be_found_may_be_found_later() -> None:
    def fails(*_args: object, **_options: object) -> list:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    for resolve in (fails, lambda *_args, **_options: []):
        with pytest.raises(AddressRefused, match="cannot be found") as caught:
            check_address("https://api.example.com", resolve=resolve)
        assert caught.value.retryable


@pytest.mark.parametrize("entry", ["model.lan", "MODEL.lan", "model.lan:8000", " model.lan"])
def test_s13_a_private_address_is_called_where_its_name_is_allowed(entry: str) -> None:
    found = check_address("http://Model.LAN:8000/v1", allow=["other.lan", entry], resolve=_resolver("10.0.0.1"))
    assert (found.host, found.port, found.numbers) == ("model.lan", 8000, ("10.0.0.1",))


@pytest.mark.parametrize("url", ["http://model.lan:8001", "http://model.lan.evil.com:8000", "http://10.0.0.1:8000"])
def test_s13_only_the_allowed_name_and_port_count(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url, allow=["model.lan:8000"], resolve=_resolver("10.0.0.1"))


def test_numbers_are_allowed_as_they_are_written() -> None:
    assert check_address("http://[::1]:8000", allow=["[::1]:8000"]).numbers == ("::1",)
    assert check_address("http://127.0.0.1", allow=["127.0.0.1"]).port == 80


def test_s03_dns_rebinding_reaches_the_checked_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is public when it is checked and private ever after: only the public number is connected to."""
    resolve = _resolver(PUBLIC, "127.0.0.1")
    address = check_address("http://rebind.example.com/v1", resolve=resolve)
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *args: (resolve if "rebind" in host else real)(host, *args))
    with open_http(address, 5.0) as http, pytest.raises((SocketConnectBlockedError, UserWarning), match=PUBLIC):
        http.get("http://rebind.example.com/v1")


def test_the_name_is_told_to_the_server_and_never_looked_up_again(server: FakeOpenAI) -> None:
    port = server.url.rpartition(":")[2].removesuffix("/v1")
    url = f"http://model.example.com:{port}/v1"
    address = check_address(url, allow=["model.example.com"], resolve=_resolver("127.0.0.1"))
    with open_http(address, 5.0) as http:
        assert http.get(f"{url}/models").status_code == 200
    assert server.script.asked[0].headers["host"] == f"model.example.com:{port}"


def test_the_next_number_of_a_name_is_tried(server: FakeOpenAI) -> None:
    port = server.url.rpartition(":")[2].removesuffix("/v1")
    url = f"http://model.example.com:{port}"
    # Nothing listens at the first.
    address = check_address(url, allow=["model.example.com"], resolve=_resolver("::1 127.0.0.1"))
    with open_http(address, 5.0) as http:
        assert http.get(f"{url}/v1/models").status_code == 200


def test_s03_redirects_are_not_followed(server: FakeOpenAI) -> None:
    server.script.rest = fail(302, {"Location": "http://169.254.169.254/latest/meta-data"})
    with _open(server) as http:
        assert http.post(f"{server.url}/chat/completions", json={"model": "fake-model"}).status_code == 302
        assert http.get(f"{server.url}/models", follow_redirects=True).status_code == 200


def test_s03_a_client_leaves_its_address_for_nobody(server: FakeOpenAI) -> None:
    server.script.rest = fail(307, {"Location": "http://127.0.0.1:1/"})
    with _open(server) as http:
        for url in ("http://127.0.0.1:1/", "https://127.0.0.1/", "http://example.com/"):
            with pytest.raises(AddressRefused, match="leave the checked address"):
                http.get(url)
        with pytest.raises(AddressRefused):
            http.post(f"{server.url}/chat/completions", json={"model": "fake-model"}, follow_redirects=True)


def test_no_proxy_of_the_environment_is_used(server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with _open(server) as http:
        assert http.get(f"{server.url}/models").status_code == 200


def test_a_body_is_read_up_to_its_limit(server: FakeOpenAI) -> None:
    server.script.steps = [send(b"x" * 1_000), send(b"x" * 1_001)]
    with _open(server, max_bytes=1_000) as http:
        question = {"model": "fake-model"}
        assert len(http.post(f"{server.url}/chat/completions", json=question).content) == 1_000
        with pytest.raises(BodyTooLarge):
            http.post(f"{server.url}/chat/completions", json=question)


def test_a_packed_body_is_not_unpacked(server: FakeOpenAI) -> None:
    body = gzip.compress(b"x" * 10_000_000)
    server.script.steps = [Step(body=body, headers={"Content-Encoding": "gzip"})]
    with _open(server) as http, pytest.raises(BodyTooLarge):
        http.post(f"{server.url}/chat/completions", json={"model": "fake-model"}, headers={"Accept-Encoding": "gzip"})
    assert server.script.asked[0].headers["accept-encoding"] == "identity"
