import logging

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.messages.storage.base import BaseStorage
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.urls import include, path

from community.accounts.models import User
from community.core import limits
from community.core.errors import Conflict
from community.core.logs import request_id
from community.questions import services as questions
from community.urls import urlpatterns as site_urls

pytestmark = pytest.mark.django_db


def page(request):
    return HttpResponse(f"{request_id.get()} {request.user}")


def same_for_all(request):
    return HttpResponse("the same")


def cached(request):
    response = HttpResponse(f"{request.user}")
    response["Cache-Control"] = "public, max-age=60"
    return response


def conflict(request):
    raise Conflict("Somebody was quicker.")


def too_often(request):
    raise limits.Limited("post", 42)


def refused(request):
    raise PermissionDenied("Only for the asker.")


urlpatterns = [
    path("t/page", page),
    path("t/same", same_for_all),
    path("t/cached", cached),
    path("t/conflict", conflict),
    path("t/often", too_often),
    path("t/refused", refused),
    path("", include(site_urls)),
]


@pytest.fixture(autouse=True)
def urls(settings):
    settings.ROOT_URLCONF = __name__


def test_each_request_has_an_id_of_our_own(client):
    one = client.get("/t/page", HTTP_X_REQUEST_ID="forged\nline")
    other = client.get("/t/page")
    assert len(one["X-Request-ID"]) == 32 and one["X-Request-ID"] != other["X-Request-ID"]
    assert one.content.decode().startswith(one["X-Request-ID"])
    assert request_id.get() == "-"


def test_public_pages_have_the_strict_policy(client):
    response = client.get("/t/page")
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "geolocation=()" in response["Permissions-Policy"]


def test_the_admin_has_its_own_policy(client, dana, enrol):
    enrol(dana)
    client.force_login(dana)
    policy = client.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy and "object-src 'none'" in policy
    assert "unsafe" not in client.get("/administration")["Content-Security-Policy"]


def test_pages_of_somebody_signed_in_are_theirs_alone(client, alice):
    assert not client.get("/t/page").has_header("Cache-Control")
    client.force_login(alice)
    response = client.get("/t/page")
    assert set(response["Cache-Control"].split(", ")) == {"private", "no-store"}
    assert "Cookie" in response["Vary"]
    assert client.get("/t/cached")["Cache-Control"] == "public, max-age=60"


@pytest.mark.no_factor
def test_staff_without_a_second_factor_are_sent_to_set_one_up(client, dana):
    client.force_login(dana)
    for address in ("/admin/", "/admin/pages/", "/admin/account/", "/admin/api/main/pages/"):
        response = client.get(address)
        assert response.status_code == 302 and response["Location"] == "/accounts/2fa/", address
    assert client.post("/admin/pages/1/delete/").status_code == 302
    assert client.get("/t/page").status_code == 200


@pytest.mark.no_factor
def test_recovery_codes_alone_are_no_second_factor(client, dana):
    Authenticator.objects.create(user=dana, type=Authenticator.Type.RECOVERY_CODES, data={})
    client.force_login(dana)
    assert client.get("/admin/")["Location"] == "/accounts/2fa/"


@pytest.mark.no_factor
def test_without_a_second_factor_staff_are_members_on_every_page(client, dana, thread, alice, enrol):
    """The telephone number, and words of the brand's, are the staff's: at the door, not only behind it."""
    questions.give_private_details(thread, alice, phone="0170 1234567")
    private = f"/questions/thread/{thread.pk}/private/"
    client.force_login(dana)
    page = client.get(thread.get_absolute_url())
    assert page.status_code == 200 and "once you have a second factor" in page.content.decode()
    refused = client.post(private, {"note": "What I typed here before"})
    words = refused.content.decode()
    assert refused.status_code == 403 and "0170 1234567" not in words
    assert "/accounts/2fa/" in words and "What I typed here before" in words
    line = client.post(private, headers={"HX-Request": "true"})
    assert line.status_code == 403 and line.content.decode().startswith("What only staff can do")
    enrol(dana)
    assert "0170 1234567" in client.post(private).content.decode()
    assert "once you have a second factor" not in client.get(thread.get_absolute_url()).content.decode()


@pytest.mark.no_factor
def test_without_a_second_factor_nobody_hides_a_post(client, ravi, thread, enrol):
    act = f"/posts/thread/{thread.pk}/moderate/"
    words = {"act": "hide", "reason": "This is not about the product at all"}
    client.force_login(ravi)
    refused = client.post(act, words)
    thread.refresh_from_db()
    assert refused.status_code == 403 and thread.is_visible
    assert "A second factor first" in refused.content.decode() and words["reason"] in refused.content.decode()
    User.objects.filter(pk=ravi.pk).update(is_superuser=True)
    assert client.post(act, words).status_code == 403
    enrol(ravi)
    assert client.get(act).status_code < 400


def test_staff_with_one_come_in_and_members_don_t(client, dana, alice, enrol):
    enrol(dana)
    client.force_login(dana)
    assert client.get("/admin/").status_code == 200
    client.force_login(alice)
    assert client.get("/admin/").status_code in (302, 403)


def test_a_conflict_says_why_and_gives_the_text_back(client):
    response = client.post("/t/conflict", {"body": "What I wrote <i>about</i> it"})
    assert response.status_code == 409
    page = response.content.decode()
    assert "Somebody was quicker." in page and "What I wrote &lt;i&gt;about&lt;/i&gt; it" in page


def test_too_often_anywhere_is_429(client):
    response = client.post("/t/often", {"body": "What I wrote about it"})
    assert response.status_code == 429 and response["Retry-After"] == "42"
    assert "What I wrote about it" in response.content.decode()


def test_a_refusal_is_logged_with_the_true_address(client, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("community"), "propagate", True)
    caplog.set_level("INFO", logger="community")
    assert client.get("/t/refused", HTTP_X_FORWARDED_FOR="1.2.3.4").status_code == 403
    assert "Refused: GET /t/refused to 127.0.0.1" in caplog.text


@pytest.mark.no_factor
def test_messages_are_queued_by_the_second_factor(client, dana, monkeypatch):
    said = []
    monkeypatch.setattr(BaseStorage, "add", lambda self, level, message, extra_tags="": said.append(str(message)))
    client.force_login(dana)
    client.get("/admin/")
    assert any("second factor" in words for words in said)


def test_no_nul_reaches_the_database(client, duo):
    assert client.get("/people/alice%00/").status_code == 404
    assert client.get("/recipes/?product=du%00o").status_code == 200
    assert client.get("/search/?q=x&product=%00").status_code == 200


def test_members_are_told_why_the_staff_area_is_closed(client, alice):
    """To the login and back would go in circles."""
    client.force_login(alice)
    first = client.get("/admin/")
    assert first.status_code == 302
    answer = client.get(first["Location"])
    assert answer.status_code == 403
    assert "where the staff work" in answer.content.decode()


def test_staff_who_come_to_the_door_again_go_in(client, dana, enrol):
    enrol(dana)
    client.force_login(dana)
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/admin/"
