import ipaddress

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from community.core.proxies import TrustedProxyMiddleware, client_address

NETWORKS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")]


@pytest.mark.parametrize(
    ("peer", "header", "expected"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),  # two proxies of ours
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),  # what the visitor claimed stands further left
        ("203.0.113.7", "6.6.6.6", "203.0.113.7"),  # not through a proxy at all
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, nonsense", "10.0.0.1"),
        ("::1", "[2001:db8::7]", "2001:db8::7"),
        ("", "6.6.6.6", ""),  # a socket without addresses
    ],
)
def test_the_address_is_what_the_nearest_trusted_proxy_saw(peer: str, header: str, expected: str) -> None:
    assert client_address(peer, header, NETWORKS) == expected


@pytest.mark.parametrize(("proxies", "expected"), [([], "10.0.0.1"), (["10.0.0.0/8"], "203.0.113.7")])
def test_a_header_counts_only_from_a_trusted_proxy(proxies: list[str], expected: str) -> None:
    with override_settings(TRUSTED_PROXIES=proxies):
        middleware = TrustedProxyMiddleware(lambda request: HttpResponse(request.META["REMOTE_ADDR"]))
        request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.7")
        assert middleware(request).content.decode() == expected
        assert "HTTP_X_FORWARDED_FOR" not in request.META
