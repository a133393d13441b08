from django.conf import settings
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from community.accounts import views as account_views
from community.core import brand, health
from community.core import views as core_views
from community.pages.urls import machine_patterns

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("brand.css", brand.brand_css, name="brand_css"),
    path("language/", core_views.language, name="language"),
    path("keyboard/", account_views.keyboard, name="keyboard"),
    path("favicon.ico", core_views.favicon, name="favicon"),
    path("styleguide/", core_views.styleguide, name="styleguide"),
    path("", include(machine_patterns)),
    path("", include("community.pages.urls")),
    path("products/", include("products.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("community.questions.urls")),
    path("", include("community.posts.urls")),
    path("reviews/", include("community.bridges.urls")),
    path("reviews/", include("reviews.urls")),
    path("changes/", include("community.bridges.release_urls")),
    path("recipes/", include("community.sharing.recipe_urls")),
    path("tips/", include("community.sharing.tip_urls")),
    path("hooks/", include("community.escalation.urls")),
    path("settings/shelf/", include("products.shelf.urls")),
    path("settings/data/", include("community.portability.urls")),
    path("settings/", include("community.accounts.urls")),
    path("", include("community.notifications.urls")),
    path("search/", include("community.search.urls")),
    path("advocates/", include("advocates.urls")),
    path("badges/", include("advocates.badge_urls")),
    path("people/", include("community.people.urls")),
    path("", include("community.demo.urls")),
    # Staff come in by the same door as everybody, where the second factor is asked for; Wagtail's own doors lead there.
    path("admin/login/", core_views.staff_door, name="staff_door"),
    re_path(r"^admin/password_reset/", RedirectView.as_view(pattern_name="account_reset_password")),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
]
if settings.SERVE_MEDIA:
    # Renditions, films and pictures of people only: an original keeps what its camera wrote into it.
    shown = r"^media/(?P<path>(?:images|videos|avatars)/.+)$"
    urlpatterns += [re_path(shown, serve, {"document_root": settings.MEDIA_ROOT})]
urlpatterns += [path("", include(wagtail_urls))]
