"""What machines read of a thread: the same words as the page shows, and no more (UX.md, CHECKS 103)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

from community.core import ties

from .models import Answer, Kind, Thread


def absolute(path: str) -> str:
    return settings.BASE_URL.rstrip("/") + path


def person(post: Thread | Answer) -> dict[str, Any]:
    """Who wrote a post, with what tied them to the brand when they did."""
    user = post.author
    if user.is_erased:
        return {"@type": "Person", "name": "Former member"}
    told = {"@type": "Person", "name": str(user), "url": absolute(f"/people/{user.username}/")}
    return {**told, **ties.known_of(user, post.created_at, getattr(post, "disclosure", ""))}


def thread_data(thread: Thread, answers: Sequence[Answer]) -> dict[str, Any]:
    """QAPage for questions and problems with answers, DiscussionForumPosting for all else: search engines take a
    question without an answer for a mistake. `answers`: those on the page."""
    public = [answer for answer in answers if answer.is_visible]
    if public and thread.kind in (Kind.QUESTION, Kind.PROBLEM):
        return _qa_page(thread, public)
    return _posting(thread, public)


def _common(post: Thread | Answer) -> dict[str, Any]:
    data: dict[str, Any] = {
        "text": post.body_text,
        "datePublished": post.created_at.isoformat(timespec="seconds"),
        "author": person(post),
        "url": absolute(post.get_absolute_url()),
    }
    if post.edited_at:
        data["dateModified"] = post.edited_at.isoformat(timespec="seconds")
    return data


def _qa_page(thread: Thread, answers: Sequence[Answer]) -> dict[str, Any]:
    settled = [answer for answer in answers if answer.is_accepted or answer.is_official]
    others = [answer for answer in answers if answer not in settled]
    question: dict[str, Any] = {
        "@type": "Question",
        "name": thread.title,
        **_common(thread),
        "answerCount": thread.answer_count,
        "upvoteCount": thread.score,
    }
    if settled:
        question["acceptedAnswer"] = [_answer(answer) for answer in settled]
    if others:
        question["suggestedAnswer"] = [_answer(answer) for answer in others]
    return {"@context": "https://schema.org", "@type": "QAPage", "mainEntity": question}


def _answer(answer: Answer) -> dict[str, Any]:
    return {"@type": "Answer", **_common(answer), "upvoteCount": answer.score}


def _posting(thread: Thread, answers: Sequence[Answer]) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "DiscussionForumPosting",
        "headline": thread.title,
        **_common(thread),
        "interactionStatistic": {
            "@type": "InteractionCounter",
            "interactionType": "https://schema.org/LikeAction",
            "userInteractionCount": max(thread.score, 0),
        },
        "commentCount": thread.answer_count,
        **({"comment": [{"@type": "Comment", **_common(answer)} for answer in answers]} if answers else {}),
    }


def crumbs(thread: Thread) -> dict[str, Any]:
    """The way to the thread, as the page shows it."""
    steps = [("Ideas", reverse("questions:ideas"))] if thread.is_idea else [("Questions", reverse("questions:list"))]
    if thread.product:
        steps.append((thread.product.name, thread.product.get_absolute_url()))
    steps.append((thread.title, thread.get_absolute_url()))
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": absolute(path)}
            for position, (name, path) in enumerate(steps, start=1)
        ],
    }
