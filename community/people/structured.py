"""A person's page for machines: what is on it, nothing else."""

from typing import Any

from django.http import HttpRequest

from community.accounts.models import User


def profile_page(person: User, request: HttpRequest, answers: int) -> dict[str, Any]:
    url = request.build_absolute_uri(person.get_absolute_url())
    entity: dict[str, Any] = {
        "@type": "Person",
        "name": person.name or person.username,
        "alternateName": person.username,
        "identifier": str(person.pk),
        "url": url,
        "agentInteractionStatistic": {
            "@type": "InteractionCounter",
            "interactionType": "https://schema.org/WriteAction",
            "userInteractionCount": answers,
        },
    }
    if person.profile.about:
        entity["description"] = person.profile.about[:300]
    if person.avatar:
        entity["image"] = request.build_absolute_uri(person.avatar.url)
    if person.source_url:
        entity["sameAs"] = person.source_url
    return {
        "@context": "https://schema.org",
        "@type": "ProfilePage",
        "url": url,
        "dateCreated": person.date_joined.isoformat(),
        "mainEntity": entity,
    }
