import pytest
from django.db import connection
from django.template import engines
from django.test.utils import CaptureQueriesContext
from wagtail.models import Site

from community.core import brand as brands
from community.core.models import BrandSettings

pytestmark = pytest.mark.django_db


@pytest.fixture
def site():
    return Site.objects.get(is_default_site=True)


def rendered(rf, source="{{ brand.community_name }}"):
    return engines["django"].from_string(source).render({}, rf.get("/"))


def test_templates_know_the_brand_and_reading_writes_nothing(rf, site):
    assert rendered(rf) == "Community"
    assert not BrandSettings.objects.exists()
    BrandSettings.objects.create(site=site, community_name="Brindle Table", name="Brindle")
    assert rendered(rf) == "Brindle Table"


def test_who_does_not_ask_pays_nothing(rf):
    with CaptureQueriesContext(connection) as queries:
        rendered(rf, "no names")
    assert len(queries) == 0


def test_kept_for_a_while_and_forgotten_on_change(rf, site, settings):
    settings.BRAND_SECONDS = 60
    brands.forget()
    row = BrandSettings.objects.create(site=site, community_name="One")
    try:
        assert rendered(rf) == "One"
        with CaptureQueriesContext(connection) as queries:
            rendered(rf)
        assert len(queries) <= 1  # whose site it is, at most
        row.community_name = "Two"
        row.save()
        assert rendered(rf) == "Two"
    finally:
        brands.forget()


def test_the_stylesheet_carries_the_accents(client, site):
    BrandSettings.objects.create(site=site, accent="#113355", accent_dark="#aaccee")
    url = brands.of_site(site).stylesheet_url
    response = client.get(url)
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert ":root{--accent:#113355}" in response.content.decode()
    assert '[data-theme="dark"]{--accent:#aaccee}' in response.content.decode()
    assert "max-age=31536000" in response["Cache-Control"] and "public" in response["Cache-Control"]
    assert client.post(url).status_code == 405


def test_another_accent_has_another_address(site):
    row = BrandSettings.objects.create(site=site)
    before = brands.of_site(site).stylesheet_url
    row.accent = "#113355"
    row.save()
    assert brands.of_site(site).stylesheet_url != before


def test_nothing_but_colours_gets_into_the_stylesheet(client, site):
    BrandSettings.objects.create(site=site, accent="red}*{x:y"[:7])
    assert client.get("/brand.css").content == b""
