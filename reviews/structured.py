"""Reviews for machines: schema.org, saying what the page shows."""

from typing import Any

from .models import Review


def review_data(review: Review, base_url: str) -> dict[str, Any]:
    """A `Review` as JSON-LD."""
    return {
        "@context": "https://schema.org",
        "@type": "Review",
        "url": base_url + review.get_absolute_url(),
        "name": review.title,
        "reviewBody": review.body_text,
        "inLanguage": review.language,
        "datePublished": (review.published_at or review.created_at).date().isoformat(),
        **({"dateModified": review.edited_at.date().isoformat()} if review.edited_at else {}),
        "author": {"@type": "Person", "name": review.author.name or review.author.username},
        "reviewRating": {"@type": "Rating", "ratingValue": review.current_stars, "bestRating": 5, "worstRating": 1},
        "itemReviewed": {
            "@type": "Product",
            "name": review.product.name,
            "url": base_url + review.product.get_absolute_url(),
        },
    }
