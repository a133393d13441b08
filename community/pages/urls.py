from django.contrib.sitemaps import views as sitemaps
from django.urls import path

from . import views
from .sitemaps import SITEMAPS

app_name = "pages"

# The pages themselves are Wagtail's; these stand before it.
urlpatterns = [
    path("help/<slug:slug>/did-this-help/", views.did_this_help, name="did_this_help"),
    path("products/<slug:slug>/follow/", views.follow_product, name="follow_product"),
]

# Without a namespace: Django's sitemap index looks its sections up by their bare name.
machine_patterns = [
    path("robots.txt", views.robots, name="robots"),
    path("sitemap.xml", sitemaps.index, {"sitemaps": SITEMAPS, "sitemap_url_name": "sitemap-section"}, name="sitemap"),
    path("sitemap-<section>.xml", sitemaps.sitemap, {"sitemaps": SITEMAPS}, name="sitemap-section"),
]
