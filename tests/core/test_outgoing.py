"""Letters to other servers: to public addresses only, to the very one that was judged, and not for long."""

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.exceptions import ValidationError

from community.core import outgoing

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "file:///etc/passwd", "https://user:pw@example.org/", "http://example.org:22/",
        "http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fe80::1]/",
        "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://0.0.0.0/",
        "http://192.168.1.1/", "http://[fc00::1]/", "http://224.0.0.1/", "http://100.64.0.1/", "http:///x",
        "http://example.org:99999/", "http://[::1", "https://example.org\\@127.0.0.1/", "https://a b/", "",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(ValidationError):
        outgoing.check(url)


def test_a_public_address_is_fine() -> None:
    assert outgoing.check("https://hooks.example.org/a?b=c").hostname == "hooks.example.org"
    assert outgoing.is_public(ipaddress.ip_address("93.184.216.34"))


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:10.0.0.1"], ["fe80::1%eth0"]])
def test_a_name_is_judged_by_all_its_addresses(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: object, **__: object) -> list:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(outgoing.Refused, match="not a public one"):
        outgoing.post("http://localtest.example/", b"", {})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, settings: object) -> Iterator[HTTPServer]:
    """A server on this machine that passes for a public one, under a name that exists nowhere."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.seen = (self.path, dict(self.headers), body)  # type: ignore[attr-defined]
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            self.wfile.write(b"x" * (200_000 if self.path == "/much" else 2))

        def log_message(self, *_: object) -> None: ...

    made = HTTPServer(("127.0.0.1", 0), Answers)
    settings.OUTGOING_PORTS = [made.server_port]  # type: ignore[attr-defined]
    monkeypatch.setattr(outgoing, "resolve", lambda host, port: "127.0.0.1")
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def test_the_connection_goes_to_the_address_that_was_judged(server: HTTPServer) -> None:
    base = f"http://hooks.invalid:{server.server_port}"
    assert outgoing.post(f"{base}/a?b=1", b"{}", {"X-A": "b"}) == outgoing.Reply(200, b"xx")
    path, headers, body = server.seen  # type: ignore[attr-defined]
    assert (path, body) == ("/a?b=1", b"{}")
    assert headers["Host"] == f"hooks.invalid:{server.server_port}" and headers["X-A"] == "b"
    assert "Cookie" not in headers and "Authorization" not in headers
    moved = outgoing.post(f"{base}/moved", b"", {})
    assert moved.status == 302 and not moved.is_fine, "redirects are not followed"
    assert len(outgoing.post(f"{base}/much", b"", {}).body) == outgoing.MOST_READ


def test_time_runs_out(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "SECONDS", -1)
    with pytest.raises(outgoing.Refused, match="too slow"):
        outgoing.post(f"http://hooks.invalid:{server.server_port}/", b"", {})


@pytest.mark.parametrize(
    ("scheme", "begin"),
    [("http", b""), ("http", b"HTTP/1.1 200 OK\r\n\r\n"), ("https", b"\x16\x03\x03\x40\x00")],
    ids=["headers", "body", "handshake"],
)
def test_who_drips_keeps_nobody_waiting(scheme: str, begin: bytes, monkeypatch: pytest.MonkeyPatch, settings) -> None:  # type: ignore[no-untyped-def]
    """A byte now and then would reset the limit of each read for ever."""
    over = threading.Event()

    def drip() -> None:
        line, _from = server.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(begin)
            while not over.wait(0.05):
                line.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings.OUTGOING_PORTS = [port]
        monkeypatch.setattr(outgoing, "resolve", lambda host, port: "127.0.0.1")
        monkeypatch.setattr(outgoing, "SECONDS", 0.3)
        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        try:
            with pytest.raises(outgoing.Refused):
                outgoing.post(f"{scheme}://hooks.invalid:{port}/", b"", {})
            assert time.monotonic() - begun < 2
        finally:
            over.set()
            thread.join()
