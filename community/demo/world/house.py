"""What must be there before the first guest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from wagtail.models import Site

from advocates import services as advocates
from community.accounts.models import Department
from community.core import clock
from community.core.models import BrandSettings
from community.core.spoken import kept
from community.escalation import handoffs, policies, replies
from community.escalation.models import Channel, SavedReply
from community.insights import baseline, roi
from community.moderation import screening
from community.moderation import services as moderation
from community.moderation.models import WatchedWord
from community.pages import services as pages
from community.posts.models import Tag, Topic
from community.questions.models import Answer
from products import services as products

from ..rows import Row
from .ground import Rows

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class House(Rows):
    def set_brand(self, row: Row) -> None:
        pages.ensure_tree()
        brand = BrandSettings.for_site(Site.objects.get(is_default_site=True))
        # The accents of the design win over the file's colours (RULINGS 35).
        brand.name, brand.community_name = row["name"], row["community_name"]
        brand.tagline, brand.makes = row.get("tagline", ""), row.get("makes", "")[:200]
        brand.contact = "commons@brindle.example"
        brand.save()

    def set_department(self, row: Row, more: Mapping[str, Any], holidays: Sequence[str]) -> None:
        Department.objects.update_or_create(
            slug=row["slug"],
            defaults={
                "name": row["name"],
                "hours": hours_of(row["hours"]),
                "hours_text": "",  # the hours stand for themselves
                "translations": kept(
                    Department,
                    {code: {"name": words["name"]} for code, words in row.get("said", {}).items()},
                ),
                "time_zone": row["timezone"],
                "mailbox": more.get("mailbox", ""),
                "acknowledge_hours": more.get("acknowledge_hours", 4),
                "resolve_hours": more.get("resolve_hours", 24),
                "holidays": list(holidays),
                "holiday_country": more.get("holiday_country", ""),
                "holiday_region": more.get("holiday_region", ""),
            },
        )
        self._departments.pop(row["slug"], None)

    def set_ranks(self, rows: Sequence[Row]) -> None:
        advocates.save_ranks(None, rows)

    def set_badge(self, row: Row, place: int) -> None:
        advocates.save_badge(None, row, position=place)

    def set_family(self, row: Row, place: int) -> None:
        products.save_family(row, place)

    def set_shop(self, row: Row, place: int) -> None:
        products.save_shop(row, place)

    def set_product(self, row: Row, place: int, today: date) -> None:
        products.save_product(row, place, today)
        pages.save_product_page(row, self.folder)
        for language, words in row.get("translations", {}).items():
            pages.save_product_page({**row, **words}, self.folder, language=language)
        self._products.pop(row["slug"], None)

    def set_topic(self, row: Row) -> None:
        topic, _new = Topic.objects.update_or_create(
            slug=row["slug"],
            defaults={
                "name": row["name"],
                "department": self.department(row["department"]) if row.get("department") else None,
            },
        )
        for name in row.get("tags", []):
            Tag.objects.update_or_create(
                slug=name, defaults={"topic": topic}, create_defaults={"name": name, "topic": topic}
            )

    def set_policy(self, row: Row, place: int) -> None:
        policies.save_policy(row, place)

    def set_reply(self, row: Row, place: int) -> None:
        given = {
            "title": row["title"], "body": row["body"], "kinds": row.get("kinds", []), "position": place,
            "makes_promise": row.get("makes_promise", False),
        }  # fmt: skip
        reply = SavedReply.objects.filter(slug=row["slug"], language="en").first() or SavedReply(slug=row["slug"])
        for name, value in given.items():
            setattr(reply, name, value)
        replies.save(reply, None, [self.department(slug) for slug in row.get("departments", [])])

    def set_channel(self, row: Row) -> None:
        channel = Channel.objects.filter(slug=row["slug"]).first() or Channel(slug=row["slug"])
        channel.name, channel.kind, channel.address = row["name"], row["kind"], row.get("address", "")
        handoffs.save_channel(channel, None, [self.department(slug) for slug in row["departments"]])

    def set_home(self, row: Row, notes: Sequence[Row]) -> None:
        picture = self.folder / "art" / "home-hero.webp"
        alt = "A kitchen counter in the morning with an espresso machine, a grinder and two cups."
        pages.save_home(row, image=pages.save_image(picture, "Home", alt), image_alt=alt, changes=notes)

    def set_page(self, row: Row) -> None:
        pages.save_content_page(row)

    def set_insights(self, said: Row) -> None:
        """What the figures were in the 90 days before this moment, and what cost and return are reckoned with."""
        before = clock.now().date() - timedelta(days=1)
        since, source = before - timedelta(days=89), said["baseline"]["source"]
        baseline.take_over(
            baseline.Line(series, since, before, Decimal(str(value)), source)
            for series, value in said["baseline"]["values"].items()
        )
        roi.set_inputs({name: (row["value"], row["source"]) for name, row in said["inputs"].items()}, None)

    def set_the_queue(self) -> None:
        """The moderators watch some words, and a post that says one of them waits to be looked at."""
        ravi = self.person("ravi.menon")
        if WatchedWord.objects.exists():
            return
        moderation.watch(ravi, pattern="casino*", act="block", note="Never about coffee.")
        moderation.watch(ravi, pattern="Rabattcode*", act="queue", note="Was spam nine times of ten.")
        word = moderation.watch(ravi, pattern="vinegar", act="flag", note="It eats the seals; somebody should say so.")
        said = (
            Answer.objects.visible().filter(body_text__icontains="vinegar", author__standing="member").order_by("-pk")
        )
        if (post := said.first()) is not None:
            screening.ask_for_a_look(post, {"word"}, {"words": [word.pk]}, held=False)


def hours_of(words: str) -> dict[str, list[list[str]]]:
    """ "Mon-Fri 08:00-18:00, Sat 09:00-13:00" as the days and spans of a department."""
    found: dict[str, list[list[str]]] = {}
    for part in words.split(","):
        match = re.fullmatch(r"\s*(\w{3})(?:-(\w{3}))?\s+(\d\d:\d\d)-(\d\d:\d\d)\s*", part)
        if not match:
            raise ValueError(f"{part!r} are no business hours")
        first, last = WEEKDAYS.index(match[1]), WEEKDAYS.index(match[2] or match[1])
        for day in range(first, last + 1):
            found.setdefault(str(day), []).append([match[3], match[4]])
    return found
