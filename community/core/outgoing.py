"""Letters to other people's servers, for the worker alone: nothing here belongs into a request.

The address is judged after it was looked up, and the connection goes to the very address that was judged, so that a
name that changes its mind between the two leads nowhere. Redirects are not followed, cookies and credentials not sent.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SECONDS = 10
MOST_READ = 64 * 1024
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """The address leads where nothing of ours may go, or nobody answered as they should."""


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300


def check(url: str) -> SplitResult:
    """What can be judged without a look-up. Raises ValidationError."""
    problem = ValidationError(_("Give the whole address of a public server: https://…"))
    try:
        parts = urlsplit(url.strip())
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        raise problem from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise problem
    if any(ord(sign) <= 32 for sign in url.strip()) or "\\" in url:
        raise problem
    if port not in settings.OUTGOING_PORTS:
        raise ValidationError(
            _("Only the ports %(ports)s are open.") % {"ports": ", ".join(map(str, settings.OUTGOING_PORTS))}
        )
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return parts
    if not is_public(literal):
        raise problem
    return parts


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, also behind the disguises that IPv6 has for IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local or address.scope_id:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def resolve(host: str, port: int) -> str:
    """The address to connect to. Raises Refused when any that the name has is not public: a mixture is a trick."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise Refused(f"no such host: {type(problem).__name__}") from None
    addresses = [str(info[4][0]) for info in found]
    if not addresses or not all(is_public(ipaddress.ip_address(address)) for address in addresses):
        raise Refused("the address is not a public one")
    return addresses[0]


class _Pinned(http.client.HTTPConnection):
    """Connects to the address that was judged; TLS and the Host header still go by the name."""

    def __init__(self, host: str, port: int, address: str, *, tls: bool, until: float) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._address, self._tls, self._until = address, tls, until
        self._line: socket.socket | None = None  # the response goes on reading from it when `sock` is let go
        self.is_late = False

    def connect(self) -> None:
        made = socket.create_connection((self._address, self.port), timeout=left(self._until))
        if self._tls:
            made = ssl.create_default_context().wrap_socket(
                made, server_hostname=self.host, do_handshake_on_connect=False
            )
        self.sock = self._line = made
        if isinstance(made, ssl.SSLSocket):
            made.do_handshake()

    def hang_up(self) -> None:
        """End it from another thread: whoever reads from it, or shakes hands, is woken at once."""
        self.is_late = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)  # of the line itself, below TLS


def left(until: float) -> float:
    """Seconds that are left. Raises Refused when none are."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise Refused("too slow")
    return seconds


def post(url: str, body: bytes, headers: dict[str, str]) -> Reply:
    """Send a letter and read at most 64 kB of what comes back, all within ten seconds. Raises Refused."""
    try:
        parts = check(url)
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from None
    until = time.monotonic() + SECONDS
    tls = parts.scheme == "https"
    host, port = str(parts.hostname), parts.port or (443 if tls else 80)
    connection = _Pinned(host, port, resolve(host, port), tls=tls, until=until)
    # A limit for each read is none for all of them: who drips a byte a second keeps a worker for as long as they like.
    watchdog = threading.Timer(left(until), connection.hang_up)
    watchdog.daemon = True
    watchdog.start()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, {**headers, "User-Agent": "community", "Connection": "close"})
        sock = connection.sock
        if sock is not None:
            sock.settimeout(left(until))
        response = connection.getresponse()
        read = b""
        while len(read) < MOST_READ and (piece := response.read1(min(4096, MOST_READ - len(read)))):
            read += piece
            left(until)
        if connection.is_late:
            raise Refused("too slow")
        return Reply(response.status, read)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise Refused(f"{type(problem).__name__}: {problem}"[:300]) from None
    finally:
        watchdog.cancel()
        connection.close()
