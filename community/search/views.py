"""The search page, and threads like one that is being read."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from community.core.limits import limited
from community.questions.models import Thread
from products.models import Product

from . import engine

MORE = 4  # threads about the product, where none is like the one that is read
THREADS = ("question", "problem", "idea", "praise")


@require_GET
@limited("search", methods=("GET",))
def results(request: HttpRequest) -> HttpResponse:
    """Everything that is found, with its kinds; an empty result offers to ask."""
    query = request.GET.get("q", "")
    asked = engine.parse(query, kind=request.GET.get("kind", ""), product=request.GET.get("product", ""))
    try:
        page = int(request.GET.get("page") or 1)
    except ValueError:
        raise Http404 from None
    if not 1 <= page <= engine.MOST_RANKED // engine.A_PAGE:
        raise Http404
    try:
        found, broken = engine.search(asked, user=request.user, page=page), False
    except engine.Unavailable:
        found, broken = engine.Found(), True
    if page > 1 and not found.documents and not broken:
        raise Http404
    context = {
        "asked": asked,
        "query": asked.text,
        "found": found,
        "broken": broken,
        "results": _with_best_answers(found.documents),
        "product": Product.objects.filter(slug=asked.product).first() if asked.product else None,
        "everything": sum(count for _kind, _label, count in found.kinds),
        "page": page,
        "more": found.total > page * engine.A_PAGE,
        "ask_query": urlencode(
            {key: value for key, value in (("title", " ".join(asked.words)), ("product", asked.product)) if value}
        ),
    }
    return render(request, "search/results.html", context, status=503 if broken else 200)


def _with_best_answers(documents: list) -> list[dict]:
    """Rows for the page: threads come with the answer that settled them and who gave it. Two queries for all."""
    threads = {
        thread.pk: thread
        for thread in Thread.objects.filter(
            pk__in=[document.target_id for document in documents if document.kind in THREADS]
        ).select_related("leading_solution__author__department")
    }
    rows = []
    for document in documents:
        thread = threads.get(document.target_id) if document.kind in THREADS else None
        answer = thread.leading_solution if thread is not None else None
        rows.append(
            {"document": document, "thread": thread, "answer": answer, "author": answer.author if answer else None}
        )
    return rows


@require_GET
@limited("similar", methods=("GET",))
def similar(request: HttpRequest, pk: int) -> HttpResponse:
    """Threads like one that is being read, for the rail beside it."""
    thread = get_object_or_404(Thread.objects.visible_to(request.user).select_related("product"), pk=pk)
    slug = thread.product.slug if thread.product else ""
    try:
        found = engine.similar(thread.title, product=slug, user=request.user, without=thread.pk)
    except engine.Unavailable:
        found = []
    ids = [document.target_id for document in found]
    threads = Thread.objects.filter(pk__in=ids).select_related("leading_solution").in_bulk()
    rows = [threads[pk] for pk in ids if pk in threads]
    more: list[Thread] = []
    if not rows and thread.product:
        about = Thread.objects.visible().filter(product=thread.product, solved_at__isnull=False).exclude(pk=thread.pk)
        more = list(about.order_by("-active_at")[:MORE])
    return render(request, "search/_similar.html", {"rows": rows, "more": more, "product": thread.product})
