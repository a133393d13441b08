"""Making the facts of the story so: each through the service that people use, at its own moment.

Rows are found again by what was told of them (`Told.object_id`), so that a later run can add to them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.db import models
from wagtail.models import Site

from advocates import gratitude, letters, programme, queue, rings
from advocates import services as advocates
from advocates.models import CodeOfConduct
from community.accounts import services as accounts
from community.accounts.models import Department, Profile, Standing, User
from community.bridges import releases
from community.bridges import services as bridges
from community.bridges.models import ReleaseNote
from community.core import clock
from community.core.models import BrandSettings
from community.core.spoken import kept
from community.escalation import handoffs, incidents, policies, replies, shifts, sweep
from community.escalation import services as escalation
from community.escalation.cases import TOLD, due_of, held, waiting
from community.escalation.models import Channel, Escalation, Incident, SavedReply, StepKind
from community.events.log import record
from community.insights import baseline, roi
from community.moderation import penalties, screening
from community.moderation import services as moderation
from community.moderation.models import Flag, PenaltyAppeal, WatchedWord
from community.pages import services as pages
from community.posts import services as posts
from community.posts.models import Comment, Tag, Topic
from community.questions import asking_back, reading
from community.questions import services as questions
from community.questions.models import Answer, FollowUp, Kind, Thread
from community.search.services import record_deflection
from community.sharing import services as sharing
from community.sharing.models import Recipe, Tip
from products import services as products
from products.models import Ownership, Product, Version
from products.shelf import alerts, codes, orders
from reviews import asking
from reviews import services as reviews
from reviews.models import Review

from .checking import IDEA_WORDS
from .models import Told
from .rows import Row

SOURCE = "demo"
CHANNELS = {"RMA": "workshop", "PAY": "payments", "CALL": "call-back"}  # how references of the story begin
SLACK = timedelta(minutes=15)  # a told rung is late by a sweep or two
MODELS: dict[str, type[models.Model]] = {
    "thread": Thread, "answer": Answer, "comment": Comment, "review": Review, "recipe": Recipe, "tip": Tip,
    "flag": Flag, "release": ReleaseNote, "incident": Incident,
}  # fmt: skip
VERIFIED = {"order": Ownership.Verified.ORDER, "receipt": Ownership.Verified.RECEIPT}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class World:
    """The rows of the story, and what happens to them."""

    READINGS_A_SPARED_QUESTION = 150  # of so many who read a settled thread, one was about to ask

    def __init__(self, folder: Path, told: Mapping[str, Told]) -> None:
        self.folder = folder
        self.ids = {key: row.object_id for key, row in told.items() if row.object_id is not None}
        self.forget()

    def forget(self) -> None:
        """After a rollback: nothing that was read is certain any more."""
        self._people: dict[str, User] = {}
        self._departments: dict[str, Department] = {}
        self._products: dict[str, Product] = {}
        self._rows: dict[str, Any] = {}
        self._heard: dict[str, datetime] = {}

    # Finding

    def person(self, username: str) -> User:
        if username not in self._people:
            self._people[username] = User.objects.select_related("department").get(username=username)
        return self._people[username]

    def department(self, slug: str) -> Department:
        if slug not in self._departments:
            self._departments[slug] = Department.objects.get(slug=slug)
        return self._departments[slug]

    def product(self, slug: str | None) -> Product | None:
        return self.the_product(slug) if slug else None

    def the_product(self, slug: str) -> Product:
        if slug not in self._products:
            self._products[slug] = Product.objects.select_related("family").get(slug=slug)
        return self._products[slug]

    def row(self, key: str) -> Any:
        if key not in self._rows:
            if key not in self.ids:
                raise LookupError(f"{key} has not been told")
            self._rows[key] = MODELS[key.partition(":")[0]]._default_manager.get(pk=self.ids[key])
        return self._rows[key]

    def keep(self, key: str, row: Any) -> None:
        """Remember the row of a fact; every later telling starts from the database."""
        if isinstance(row, models.Model):
            self.ids[key] = row.pk
            self._rows[key] = row

    def catch_up(self, slug: str, until: datetime) -> None:
        """Let a thread's own clocks run up to a moment: what the story doesn't tell happened all the same."""
        pk = self.ids.get(f"thread:{slug}")
        if pk is not None:
            asking_back.catch_up(until, pk)
        while pk is not None:
            due = Escalation.objects.filter(thread=pk, next_due_at__lte=until).values_list("pk", "next_due_at").first()
            if due is None:
                return
            with clock.travel(max(due[1], self._heard.get(slug, due[1]))):
                sweep.fire(*due)

    def hear(self, slug: str, at: datetime) -> None:
        """A thread's story has come this far; its clocks don't fire before."""
        self._heard[slug] = at

    # The house

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
                "hours_text": row["hours"].replace("-", "\u2013"),
                "translations": kept(
                    Department,
                    {
                        code: {"name": words["name"], "hours_text": words["hours"].replace("-", "\u2013")}
                        for code, words in row.get("said", {}).items()
                    },
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

    def release(self, row: Row, keys: Sequence[str]) -> ReleaseNote:
        """A release note, tied to the threads and reviews that asked for it."""
        asked = [self.row(key) for key in keys]
        threads = [one for one in asked if isinstance(one, Thread)]
        wrote = [one for one in asked if isinstance(one, Review)]
        helped = row.get("did_it_help") or {}
        return releases.publish_release(
            self.person(row["by"]), self.the_product(row["product"]), body=row["body"], threads=threads, reviews=wrote,
            title=row["title"], version=row.get("version", ""), you_said=row["you_said"], we_did=row["we_did"],
            finding=helped.get("note", ""),
        )  # fmt: skip

    def release_helped(self, row: Row, at: datetime) -> None:
        helped = row["did_it_help"]
        counts = {said: helped[said] for said in ("yes", "partly", "no")}
        releases.tell_help(self.row(f"release:{row['slug']}"), at, helped["asked"], counts, source="demo")

    def set_page(self, row: Row) -> None:
        pages.save_content_page(row)

    # People

    def join(self, row: Row) -> None:
        role = row.get("role", "member")
        staff, erased = role.startswith("staff"), role == "erased"
        address = f"{row['username']}@{'brindle.example' if staff else 'example.org'}"
        user = accounts.join(
            row["username"], row["name"], address, about=row.get("about", ""), city=row.get("city", "")
        )
        EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
        if row.get("picture"):
            with (self.folder / "art" / f"{row['picture']}.webp").open("rb") as file:
                accounts.change_picture(user, file)
        if not staff and not erased:
            Profile.objects.filter(user=user).update(show_shelf=True)
        if staff:
            _staff, place, *rest = role.split(":")
            if place in ("community-manager", "editor", "moderator"):
                accounts.set_role(user, None, place)
            else:
                accounts.set_role(user, None, "agent", self.department(place), lead="lead" in rest)
                self._departments.pop(place, None)

    def own(self, name: str, slug: str, review: Row | None) -> None:
        product = self.the_product(slug)
        months = months_of(review["owned_for"]) if review else None
        bought = clock.now().date() - timedelta(days=round(30.4 * months)) if months is not None else None
        verified = VERIFIED.get(review["verified"], "") if review else ""
        products.add_to_shelf(product, self.person(name), bought_on=bought, verified=verified)

    def _versions(self, product: Product, names: Sequence[str]) -> list[Version]:
        # A demo that was told before is told of new series as of today, after what the past says of them.
        return [Version.objects.get_or_create(product=product, name=name)[0] for name in names]

    def order(self, row: Row) -> None:
        product = self.the_product(row["product"])
        (version,) = self._versions(product, [row["version"]])
        orders.take_line(
            source="shop.brindle.example", key=orders.key_of(row["order"], product.slug), address=row["email"],
            product=product, version=version, bought_on=clock.now().date(),
        )  # fmt: skip

    def print_codes(self, row: Row) -> None:
        codes.take_over(self.the_product(row["product"]), row["codes"], note=row["note"], by=self.person(row["by"]))

    def recall(self, row: Row) -> None:
        product = self.the_product(row["product"])
        alerts.keep_recall(product, self.person(row["by"]), self._versions(product, row["versions"]))

    def know_issue(self, row: Row) -> None:
        product = self.the_product(row["product"])
        alerts.issue(
            product, self.person(row["by"]), title=row["title"], body=row["text"], said=row.get("said"),
            versions=self._versions(product, row["versions"]),
        )  # fmt: skip

    def open_incident(self, row: Row, banner: Mapping[str, Any]) -> Incident:
        """One that is a recall hangs on the recall's own banner; the other has its own."""
        product, by = self.the_product(row["products"][0]), self.person(row["opened"]["by"])
        recall = product.alerts.open().filter(kind="recall").first() if row["kind"] == "recall" else None
        return incidents.open_incident(
            product, by, title=row["title"], body=banner["text"], first=self.row(f"thread:{row['lead_thread']}"),
            department=self.department(row["departments"][0]), recall=recall,
        )  # fmt: skip

    def say(self, key: str, row: Mapping[str, Any]) -> None:
        incidents.say(self._incident(key), self.person(row["by"]), row["text"])

    def gather(self, key: str, row: Mapping[str, Any]) -> None:
        thread = self.row(f"thread:{row['slug']}")
        incidents.gather(self.row(key), thread, self.person(row["by"]), note=row.get("note", ""))

    def solve(self, key: str, row: Mapping[str, Any]) -> None:
        """The threads' own files say what became of each; here the banner goes and owners hear of it."""
        incidents.solve(self._incident(key), self.person(row["by"]), solution=row["text"])

    def _incident(self, key: str) -> Incident:
        return Incident.objects.select_related("alert__product").get(pk=self.ids[key])

    def describe(self, row: Row) -> None:
        person, product = self.person(row["person"]), self.the_product(row["product"])
        (version,) = self._versions(product, [row["version"]])
        bought_on = Ownership.objects.get(owner=person, product=product).bought_on
        products.change_on_shelf(product, person, version=version, bought_on=bought_on, serial=row["serial"])

    def plan_to_ask(self, name: str) -> None:
        """The replay plans no requests: they would all be due at once. The worker asks this one person."""
        for own in self.person(name).shelf.select_related("product"):
            asking.plan(own.owner, own.product)

    def advocate(self, row: Row) -> None:
        known = [self.the_product(slug) for slug in row.get("expertise", [])]
        user = self.person(row["username"])
        if row["role"] == "advocate-candidate":
            advocates.note_candidate(user, None, known)
        else:
            advocates.admit(user, None, known)
        self._people.pop(row["username"])

    def publish_code(self, body: str, what_changed: str) -> None:
        # The first version came with the house, which is older than this machine.
        CodeOfConduct.objects.filter(version=1).update(published_at=clock.now() - timedelta(days=800))
        programme.publish_code(None, body, what_changed=what_changed)

    def accept_code(self, name: str) -> None:
        programme.accept_code(self.person(name), programme.current_code().version)

    def invite(self, name: str, by: str, products: Sequence[str]) -> None:
        programme.invite(self.person(name), self.person(by), [self.the_product(slug) for slug in products])

    def apply(self, name: str, row: Row) -> None:
        known = [self.the_product(slug) for slug in row["products"]]
        programme.apply(self.person(name), known, row["motivation"], code_version=programme.current_code().version)

    def answer_trial(self, name: str, answers: Sequence[str]) -> None:
        user = self.person(name)
        application = programme.open_application(user)
        if application is None or application.state != "trial":
            return  # there were no old questions
        for place, item in enumerate(application.trial.all()):
            programme.answer_trial(user, item.pk, answers[place % len(answers)])
        programme.send_trial(user)

    def judge(self, name: str, place: int, helps: Sequence[bool], note: str) -> None:
        application = programme.open_application(self.person(name))
        seat = application.judges.filter(place=place, done_at=None).first() if application is not None else None
        if application is None or seat is None:
            return  # fewer advocates than judges
        items = programme.items_for(seat)
        said = {item.pk: (helps[at % len(helps)], note) for at, item in enumerate(items)}
        programme.judge(application, seat.person, said)

    def decide_application(self, name: str, by: str, reason: str) -> None:
        application = programme.open_application(self.person(name))
        if application is None or application.state != "judged":
            return
        passed = programme.passed_products(application)
        chosen = [row.product for row in application.products.all() if passed.get(row.product_id) is not False]
        programme.decide(application, self.person(by), chosen if not reason else [], reason=reason)
        self._people.pop(name, None)

    def cheer_on(self, name: str, author: str, most: int) -> None:
        """A vote for the newest answers of somebody, one after the other, whatever they say."""
        voter, writer = self.person(name), self.person(author)
        answers = Answer.objects.visible().filter(author=writer).exclude(thread__kind=Kind.IDEA)
        fresh = answers.exclude(votes__voter=voter).exclude(thread__author=voter)
        begins = clock.now()
        for place, answer in enumerate(fresh.select_related("thread").order_by("-created_at", "-pk")[:most]):
            with clock.travel(begins + timedelta(seconds=70 * place)):
                questions.vote_answer(answer, voter, 1)

    def look_for_rings(self) -> None:
        rings.look()

    def leave(self, name: str, by: str, farewell: str) -> None:
        advocates.leave(self.person(name), self.person(by), farewell=farewell)
        self._people.pop(name, None)

    def letters(self, month: date, at: datetime) -> None:
        with clock.travel(at):
            letters.write_all(month)

    def pass_on(self, key: str, name: str, why: str) -> None:
        queue.pass_on(self.row(key), self.person(name), why)

    def thank(self, key: str, row: Mapping[str, Any]) -> None:
        answer = self.row(key)
        thanks = gratitude.thank(answer, answer.thread.author, row["words"], show=True)
        gratitude.show_thanks(thanks, answer.author, True)

    def declare(self, name: str, tie: Row) -> None:
        user = self.person(name)
        since = clock.now().date()
        lasted = tie["days_ago"] - tie["until_days_ago"] if tie.get("until_days_ago") else None
        until = since + timedelta(days=lasted) if lasted is not None else None
        advocates.declare_interest(user, user, kind=tie["kind"], line=tie["line"], since=since, until=until)

    def go_away(self, name: str, back: datetime, note: str, stand_in: str) -> None:
        user = self.person(name)
        advocates.set_away(user, user, until=back, note=note, stand_in=self._maybe(stand_in))

    def work(self, name: str, works: Mapping[Any, Any]) -> None:
        user = self.person(name)
        shifts.keep_hours(user, user, {str(day): spans for day, spans in works.items()})

    def be_off(self, name: str, back: datetime, stand_in: str) -> None:
        user = self.person(name)
        shifts.be_away(user, user, clock.now().date(), back.date(), self.person(stand_in) if stand_in else None)

    def keep_filter(self, name: str, kept: Mapping[str, Any]) -> None:
        shifts.keep_filter(self.person(name), kept["name"], kept["query"], shared=kept.get("shared", False))

    def warn(self, name: str, action: Row) -> None:
        accounts.warn(self.person(name), self.person(action["by"]), reason=action["note"])

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

    def silence(self, name: str, action: Row) -> None:
        accounts.silence(self.person(name), self.person(action["by"]), hours=action["hours"], reason=action["reason"])
        self._people.pop(name)

    def appeal(self, name: str, action: Row) -> None:
        person = self.person(name)
        penalties.appeal_penalty(person.penalties.latest("at"), person, action["note"])

    def decide_appeal(self, name: str, row: Row) -> None:
        waits = PenaltyAppeal.objects.filter(author__username=name, granted=None).latest("created_at")
        penalties.decide_penalty_appeal(waits, self.person(row["by"]), granted=row["granted"], answer=row["note"])

    def close_account(self, name: str, action: Row) -> None:
        accounts.suspend(self.person(name), self.person(action["by"]), reason=action["reason"])
        User.objects.filter(username=name).update(standing=Standing.ERASED, name="former member")
        EmailAddress.objects.filter(user__username=name).delete()
        left = User.objects.get(username=name)
        record("person.erased", actor=left, subject=left, words="stay")
        self._people.pop(name)

    # Reviews

    def review(self, row: Row) -> Review:
        product = self.the_product(row["product"])
        return reviews.write_review(
            self.person(row["author"]), product, stars=row["stars"], title=row["title"], body=row["text"],
            did_well=row.get("did_well", ""), could_be_better=row.get("could_be_better", ""),
            would_recommend=row.get("would_recommend"), secondary=row.get("secondary"),
            disclosure=row["disclosure"], owned_months=months_of(row.get("owned_for", "")),
            language=row.get("lang", "en"), hold="moderation" in row,
        )  # fmt: skip

    def chapter(self, key: str, row: Row) -> None:
        review = self.row(key)
        reviews.add_chapter(
            review, review.author, stars=row["stars"], body=row["text"], months_owned=row["months"],
            still_in_use=row.get("still_in_use"),
        )  # fmt: skip

    def respond(self, key: str, row: Row) -> None:
        reviews.respond(self.row(key), self.person(row["by"]), self.department(row["department"]), row["text"])

    def refuse(self, key: str, row: Row) -> None:
        reviews.refuse_review(
            self.row(key), self.person(row["by"]), code=row["code"].replace("-", "_"), passage=row["passage"],
            note=row.get("note", ""),
        )  # fmt: skip

    def offer_thread(self, key: str, row: Row) -> None:
        bridges.propose_thread(
            self.row(key), self.person(row["by"]), passage=row["passage"], department=self.department(row["route"]),
            note=row.get("note", ""),
        )  # fmt: skip

    def bridge(self, key: str, slug: str, show_outcome: bool) -> None:
        review = self.row(key)
        thread = self.row(f"thread:{slug}")
        bridges.start_thread(review, review.author, show_outcome=show_outcome, thread=thread)

    def found_helpful(self, key: str, yes: int, no: int, moments: Sequence[datetime]) -> None:
        reviews.add_helpful_rows(self.row(key), yes=yes, no=no, source=SOURCE, at=moments)

    # Figures

    def set_insights(self, said: Row) -> None:
        """What the figures were in the 90 days before this moment, and what cost and return are reckoned with."""
        before = clock.now().date() - timedelta(days=1)
        since, source = before - timedelta(days=89), said["baseline"]["source"]
        baseline.take_over(
            baseline.Line(series, since, before, Decimal(str(value)), source)
            for series, value in said["baseline"]["values"].items()
        )
        roi.set_inputs({name: (row["value"], row["source"]) for name, row in said["inputs"].items()}, None)

    def readings(self, key: str, moments: Sequence[datetime]) -> None:
        """By day, before and after it was settled; some who were about to ask found it then."""
        thread = Thread.objects.get(pk=self.row(key).pk)
        settled = min((at for at in (thread.solved_at, thread.official_at) if at), default=None)
        read = Counter((at.date(), thread.pk, settled is not None and at > settled) for at in moments)
        reading.write_days(read)
        after = [at for at in moments if settled is not None and at > settled]
        for at in after[:: self.READINGS_A_SPARED_QUESTION]:
            with clock.travel(at):
                record_deflection(thread, thread.title, ask=f"demo:{at.timestamp():.3f}"[:32])

    # Threads

    def thread(self, row: Row) -> Thread:
        details = row.get("private_details") or {}
        notes = [str(details[key]) for key in ("note", "payment") if details.get(key)]
        private = {
            "order_number": details.get("order", ""), "serial": details.get("serial", ""), "note": "\n".join(notes),
        }  # fmt: skip
        thread = questions.post_thread(
            self.person(row["author"]), kind=row["kind"], title=row["title"], body=row["body"].strip(),
            product=self.product(row.get("product")), model_version=row.get("model_version") or "",
            tags=row.get("tags") or [], private=private if details else None, language=row.get("language", "en"),
        )  # fmt: skip
        thread.view_count = row.get("views", 0)
        thread.save(update_fields=["view_count"])
        return thread

    def answer(self, key: str, row: Row, body: str, recheck_on: date | None) -> Answer:
        official = row.get("official_for")
        return questions.post_answer(
            self.row(key), self.person(row["author"]), body=body.strip(), disclosure=row.get("disclosure", ""),
            official_for=self.department(official) if official else None, sources=row.get("sources") or [],
            recheck_on=recheck_on,
        )  # fmt: skip

    def edit_answer(self, key: str, author: str, body: str, summary: str) -> None:
        questions.edit_answer(self.row(key), self.person(author), body=body.strip(), summary=summary)

    def vote_answer(self, key: str, name: str, value: int) -> None:
        questions.vote_answer(self.row(key), self.person(name), value)

    def vote_thread(self, key: str, name: str, value: int) -> None:
        questions.vote_thread(self.row(key), self.person(name), value)

    def me_too(self, key: str, name: str) -> None:
        questions.set_me_too(self.row(key), self.person(name), on=True)

    def follow(self, key: str, name: str) -> None:
        posts.follow(self.row(key), self.person(name))

    def works(self, key: str, works: bool, rows: Sequence[tuple[str, datetime]], version: str) -> None:
        questions.add_works_rows(self.row(key), works=works, rows=rows, source=SOURCE, model_version=version)

    def comment(self, key: str, name: str, body: str) -> Comment:
        return posts.comment(self.row(key), self.person(name), body=body)

    def accept(self, key: str, asker: str, leads: bool | None) -> None:
        questions.accept_answer(self.row(key), self.person(asker), leading=leads)

    def follow_up(self, key: str, asker: str, row: Row) -> None:
        outcome = FollowUp.Outcome(row["answer"].replace(" ", "_"))
        questions.answer_follow_up(self.row(key), self.person(asker), outcome, row.get("note", ""))

    def state(self, key: str, state: str, detail: Row) -> None:
        thread, by = self.row(key), self.person(detail["by"])
        words = detail.get("note") or detail.get("reason") or ""
        if state == "needs info":
            questions.ask_for_info(thread, by, words)
        elif state == "duplicate":
            questions.mark_duplicate(thread, by, self.row(f"thread:{detail['of']}"))
        elif state == "closed":
            questions.close_thread(thread, by, words)
        elif state == "locked":
            questions.lock_thread(thread, by, True, words)
        elif state == "solved another way":
            questions.solve_another_way(thread, by, words)
        elif state == "reopened":
            questions.reopen_thread(thread, by, words)

    def say_they_disagree(self, key: str, by: str, reason: str) -> None:
        questions.say_they_disagree(self.row(key), self.person(by), reason)

    def reconcile(self, key: str, by: str, outcome: str, words: str) -> None:
        questions.reconcile(self.row(key), self.person(by), outcome, words)

    def idea_status(self, key: str, row: Row) -> None:
        status = IDEA_WORDS[row["status"]]
        link = row.get("link", "")
        if link.startswith("thread:"):
            link = self.row(link).get_absolute_url()
        questions.set_idea_status(
            self.row(key), self.person(row["by"]), status, row.get("reason") or row["status"], link
        )

    def step(self, key: str, row: Row, at: datetime, until: datetime | None) -> None:
        thread = self.row(key)
        if row["step"] == "late" and not self._is_late(thread, at):
            return  # what is late is the clocks' to say: it depends on the weekday of the telling
        self._fire_what_comes_before(thread, row["step"], at)
        escalation.tell_step(
            thread, row["step"], at=at, by=self._maybe(row.get("by")), to=self._maybe(row.get("to")),
            department=self.department(row["department"]) if row.get("department") else None,
            note=row.get("note", ""), reason=row.get("reason", ""), reference=row.get("reference", ""), until=until,
            people=[self.person(name) for name in row.get("asked", [])],
            channel=Channel.objects.filter(slug=CHANNELS.get(row.get("reference", "").partition("-")[0], "")).first(),
        )  # fmt: skip

    def _fire_what_comes_before(self, thread: Thread, step: str, at: datetime) -> None:
        """A rung is told when its turn has come: those below it fired, or found nobody, before."""
        case = held(thread)
        while step in TOLD and case is not None and case.next_due_at is not None and case.next_due_at <= at:
            if waiting(case)[0]["kind"] == TOLD[step]:
                return
            sweep.fire(case.pk, case.next_due_at)
            case = held(thread)

    def _is_late(self, thread: Thread, at: datetime) -> bool:
        case = held(thread)
        return case is not None and any(
            rung["kind"] == StepKind.LATE and due_of(rung) <= at + SLACK for rung in waiting(case)
        )

    def _maybe(self, name: str | None) -> User | None:
        return self.person(name) if name else None

    # Moderation

    def flag(self, key: str, row: Row) -> Flag:
        return moderation.flag(
            self.row(key), self.person(row["by"]), reason=row["reason"].replace(" ", "_"), note=row.get("note", "")
        )

    def decide(self, key: str, by: str, uphold: bool) -> None:
        moderation.decide_flag(self.row(key), self.person(by), uphold=uphold)

    def move_comment(self, key: str, said: str, action: Row) -> None:
        questions.move_posts(
            self.row(key), self.row(f"thread:{action['into']}"), self.person(action["by"]), comments=[self.row(said)],
            reason=action["note"],
        )  # fmt: skip

    def split(self, key: str, said: str, along: Sequence[str], action: Row) -> None:
        thread = self.row(key)
        questions.split_thread(
            thread, self.person(action["by"]), question=self.row(said), answers=[self.row(one) for one in along],
            title=action["title"], kind=action["kind"], product=thread.product, tags=action.get("tags", []),
            reason=action["note"],
        )  # fmt: skip
        for one in (said, *along):
            self._rows.pop(one, None)  # it is elsewhere now

    def hide(self, key: str, row: Row) -> None:
        moderation.hide(self.row(key), self.person(row["by"]), reason=row.get("note") or row["reason"])

    # Recipes, tips, help

    def recipe(self, row: Row) -> Recipe:
        picture = None
        if row.get("illustration") not in (None, "none"):
            picture = pages.save_image(
                self.folder / "art" / f"recipe-{row['illustration']}.webp", row["title"], row["title"]
            )
        groups = row["ingredients"]
        yields = row["yields"]
        tags = row.get("tags") or {}
        return sharing.share_recipe(
            self.person(row["author"]), title=row["title"], body=row["body"],
            ingredients=[{"group": group.get("group", ""), **item} for group in groups for item in group["items"]],
            steps=[{**step, "product": self.product(step.get("product"))} for step in row["steps"]],
            yield_amount=yields["amount"], yield_unit=yields["unit"], prep_minutes=row.get("prep_minutes", 0),
            cook_minutes=row.get("cook_minutes", 0), rest_minutes=row.get("rest_minutes", 0),
            difficulty=row.get("difficulty", "easy"),
            products={self.the_product(used["slug"]): used.get("steps", []) for used in row.get("products") or []},
            tags=[*tags.get("diet", []), *tags.get("occasion", [])], language=row.get("language", "en"),
            remix_of=self.row(f"recipe:{row['remix_of']}") if row.get("remix_of") else None,
            remix_note=row.get("remix_note", ""), picture=picture,
        )  # fmt: skip

    def made(self, key: str, row: Row) -> None:
        sharing.set_made(
            self.row(key), self.person(row["author"]), stars=row.get("stars"), note=row.get("note", ""),
            variation=row.get("variation", ""),
        )  # fmt: skip

    def tip(self, row: Row) -> Tip:
        return sharing.share_tip(
            self.person(row["author"]), title=row["title"], body=row["body"],
            steps=[dict(step) for step in row.get("steps") or []], product=self.product(row.get("product")),
            model_version=row.get("model_version") or "", goal=row.get("goal", ""), safety=row.get("safety", ""),
            language=row.get("language", "en"),
        )  # fmt: skip

    def worked(self, key: str, yes: int, no: int, moments: Sequence[datetime]) -> None:
        sharing.add_worked_rows(self.row(key), yes=yes, no=no, source=SOURCE, at=moments)

    def feature(self, key: str, row: Row) -> None:
        sharing.feature(self.row(key), self.person(row["by"]), reason=row["reason"])

    def article(self, row: Row) -> None:
        """Its days count from the telling; the clock stands where the article appeared."""
        shift = row["days_ago"]
        data = {**row, "days_ago": 0}
        if "last_checked_days_ago" in row:
            data["last_checked_days_ago"] = row["last_checked_days_ago"] - shift
        if "review_in_days" in row:
            data["review_in_days"] = row["review_in_days"] + shift
        data["changes"] = [{**change, "days_ago": change["days_ago"] - shift} for change in row.get("changes") or []]
        data["from_thread"] = self._thread_row(row.get("from_thread"))
        data["related_threads"] = [
            thread for slug in row.get("related_threads") or [] if (thread := self._thread_row(slug))
        ]
        pages.save_help_article(data, row["body"])

    def _thread_row(self, slug: str | None) -> Thread | None:
        key = f"thread:{slug}"
        return self.row(key) if slug and key in self.ids else None

    def relate(self, related: Mapping[str, Sequence[str]]) -> None:
        for slug, others in related.items():
            pages.relate_help_articles(slug, others)


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


def months_of(words: str) -> int | None:
    """ "14 months", "2 years", "5 weeks" in whole months; nothing for "tried in a shop"."""
    match = re.fullmatch(r"(\d+) (day|week|month|year)s?", words or "")
    if not match:
        return None
    return round(int(match[1]) * {"day": 1 / 30.4, "week": 7 / 30.4, "month": 1, "year": 12}[match[2]])
