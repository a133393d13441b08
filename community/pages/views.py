"""What stands beside the pages that Wagtail serves: small POSTs, and what machines read."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_POST

from community.core.limits import limited
from community.posts import services as posts
from products.models import Product

from . import services
from .models import HelpArticlePage, visit_of, vote_of


@require_POST
@limited("vote")
def did_this_help(request: HttpRequest, slug: str) -> HttpResponse:
    """A reader says whether an article helped; open to those who are not signed in, once a visit."""
    here = HelpArticlePage.objects.live().public().filter(slug=slug).order_by("pk")
    article = here.filter(locale__language_code=get_language()).first() or here.first()
    if article is None:
        raise Http404
    if request.POST.get("helpful") not in ("yes", "no"):
        return redirect(f"{article.get_absolute_url()}#did-this-help")
    helpful = request.POST["helpful"] == "yes"
    if request.user.is_authenticated:
        services.say_whether_it_helped(article, helpful, by=request.user)
    else:
        if not request.session.session_key:
            request.session.create()
        services.say_whether_it_helped(article, helpful, visit=visit_of(request))
    if request.htmx:  # type: ignore[attr-defined]
        about = list(article.products.all())
        context = {"page": article, "my_vote": vote_of(article, request), "about": about}
        return render(request, "pages/_did_this_help.html", context)
    return redirect(f"{article.get_absolute_url()}#did-this-help")


@require_POST
@login_required
def follow_product(request: HttpRequest, slug: str) -> HttpResponse:
    """Hear of what is new about a product, or no longer (`on` is empty)."""
    product = get_object_or_404(Product, slug=slug)
    following = bool(request.POST.get("on"))
    if following:
        posts.follow(product, request.user)
    else:
        posts.unfollow(product, request.user)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "pages/_follow.html", {"product": product, "following": following})
    return redirect(product.get_absolute_url())


@require_GET
@cache_control(max_age=3600, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may leave out, and where the map is."""
    closed = (
        "/admin/",
        "/accounts/",
        "/settings/",
        "/notifications/",
        "/search/",
        "/questions/ask/",
        "/products/compare/",
    )
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
    lines.append(f"Sitemap: {request.build_absolute_uri(reverse('sitemap'))}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
