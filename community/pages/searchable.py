"""Help articles as search knows them."""

from typing import Any

from community.search.documents import LONGEST, about, makes
from community.search.models import Document
from products.prose import plain_text

from .models import HelpArticlePage


@makes(HelpArticlePage)
def help_article(page: HelpArticlePage) -> dict[str, Any] | None:
    if not page.live or page.get_view_restrictions().exists():  # behind a password, nobody finds its words
        return None
    return {
        "kind": Document.Kind.HELP,
        **about(page.products.first()),
        "title": page.title[:300],
        "text": f"{page.summary}\n{page.search_terms}\n{plain_text(page.body)}"[:LONGEST],
        "best_answer": page.summary,
        "language": page.locale.language_code,
        "url": page.get_url() or f"/help/{page.slug}/",
        "said": str(page.department) if page.department else "",
        "created_at": page.first_published_at,
        "active_at": page.last_published_at or page.first_published_at,
    }
