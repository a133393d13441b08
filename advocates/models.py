"""What people earn by others' judgement, and the programme of those who help most (FEATURES F)."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.signing import Signer
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department
from community.core import clock
from community.core.models import Body
from community.events.models import Event
from community.moderation.models import Moderated
from community.posts.models import Topic
from products.models import Product

from .querysets import (
    OPEN_APPLICATIONS,
    ApplicationQuerySet,
    AwardQuerySet,
    BoardScoreQuerySet,
    EntryQuerySet,
    LetterQuerySet,
    MembershipQuerySet,
    ThanksQuerySet,
)

PERSON = settings.AUTH_USER_MODEL


class Reason(models.TextChoices):
    """Why an entry stands in the ledger. The points are in `reputation.RULES`."""

    THREAD_UP = "thread_up", _("Your question was voted up")
    ANSWER_UP = "answer_up", _("Your answer was voted up")
    THREAD_DOWN = "thread_down", _("Your question was voted down")
    ANSWER_DOWN = "answer_down", _("Your answer was voted down")
    DOWNVOTING = "downvoting", _("You voted an answer down")
    ACCEPTED = "accepted", _("Your answer was accepted")
    ACCEPTING = "accepting", _("You accepted somebody's answer")
    HELPFUL = "helpful", _("Your review was found helpful")
    MADE = "made", _("Somebody made your recipe")
    WORKED = "worked", _("Your tip worked for somebody")
    HELD = "held", _("Your fix still worked after three days")
    EDIT = "edit", _("Your suggested edit was taken over")
    SPAM = "spam", _("A post of yours was confirmed as spam")
    OWNER = "owner", _("An owner says that your answer works for theirs")


class ReputationEntry(models.Model):
    """One line of the ledger. Append-only: what falls away is reversed by a line that points at it (RULINGS 23)."""

    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="reputation_entries")
    day = models.DateField(help_text=_("In UTC; of a reversal, the day of what it reverses."))
    points = models.SmallIntegerField()
    reason = models.CharField(max_length=20, choices=Reason)
    rule_version = models.PositiveSmallIntegerField()
    exempt = models.BooleanField(default=False, help_text=_("Not under the daily cap."))
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    reverses = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="reversed_by")
    takes_back = models.BooleanField(default=False, help_text=_("It reverses; a reversed reversal gives again."))
    target_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    giver = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text=_("Who judged, if known.")
    )
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    topic = models.ForeignKey(Topic, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    weighs = models.SmallIntegerField(default=0, help_text=_("How much it says about knowing the product and topic."))
    at = models.DateTimeField()

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "reputation entries"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "reason", "event"], condition=Q(reverses__isnull=True), name="entry_once_per_cause"
            )
        ]
        indexes = [
            models.Index(fields=["person", "-at", "-id"], name="entry_person"),
            models.Index(fields=["target_type", "target_id", "reason"], name="entry_target"),
            models.Index(fields=["product", "person", "day"], name="entry_product"),
            models.Index(fields=["event"], name="entry_event"),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.reason} for {self.person_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("The ledger is append-only: reverse the entry instead.")
        super().save(*args, **kwargs)


class DayTotal(models.Model):
    """What a day came to: `min(cap, capped) + exempt`. The cap is that of the day, not of today."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="reputation_days")
    day = models.DateField()
    capped = models.IntegerField(default=0, help_text=_("Gains less losses under the cap."))
    exempt = models.IntegerField(default=0)
    cap = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "day"], name="day_total_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} on {self.day}: {self.value}"

    @property
    def value(self) -> int:
        return min(self.cap, self.capped) + self.exempt


class Competence(models.Model):
    """What somebody knows of a product or a topic, by what others found of it; `competence.py` has the sums."""

    class Kind(models.TextChoices):
        PRODUCT = "product", _("Product")
        TOPIC = "topic", _("Topic")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="competence")
    kind = models.CharField(max_length=7, choices=Kind)
    key = models.BigIntegerField(help_text=_("Id of the product or the topic."))
    score = models.BigIntegerField(default=0, help_text=_("In the worth of 2020; what it is worth today is less."))

    class Meta:
        verbose_name_plural = "competence"
        constraints = [models.UniqueConstraint(fields=["kind", "key", "person"], name="competence_unique")]
        indexes = [
            models.Index(fields=["kind", "key", "-score"], name="competence_order"),
            models.Index(fields=["person", "-score"], name="competence_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind} {self.key}: {self.score}"


class Period(models.TextChoices):
    WEEK = "week", _("Week")
    MONTH = "month", _("Month")
    QUARTER = "quarter", _("Quarter")
    YEAR = "year", _("Year")
    ALL = "all", _("All time")


class Help(models.TextChoices):
    """Kinds of help that have boards of their own; which points count on which is in `boards.HELP_OF`."""

    ASKING = "asking", _("Good questions")
    ANSWERING = "answering", _("Answers")
    REVIEWING = "reviewing", _("Reviews")
    COOKING = "cooking", _("Recipes")
    TIPS = "tips", _("Tips")
    EDITING = "editing", _("Edits")


class BoardScore(models.Model):
    """Somebody's points on one board (`boards.py` names them) in one period."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="board_scores")
    period = models.CharField(max_length=7, choices=Period)
    start = models.DateField()
    board = models.CharField(max_length=32, default="all", help_text=_("all, product:7, topic:3 or help:answering."))
    points = models.IntegerField(default=0)
    listed = models.BooleanField(default=True, help_text=_("Counted in the places; not staff, opted out, silenced."))

    objects = BoardScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "period", "start", "board"], name="board_score_unique")
        ]
        indexes = [
            models.Index(
                fields=["period", "start", "board", "-points", "person"],
                condition=Q(listed=True),
                name="board_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.period} {self.start} {self.board}: {self.points}"


class BoardBucket(models.Model):
    """How many people of a board have exactly so many points: the dense rank is a count of buckets above."""

    period = models.CharField(max_length=7, choices=Period)
    start = models.DateField()
    board = models.CharField(max_length=32, default="all")
    points = models.IntegerField()
    people = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["period", "start", "board", "points"], name="board_bucket_unique")
        ]
        indexes = [
            models.Index(fields=["period", "start", "board", "points"], condition=Q(people__gt=0), name="board_places")
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.start} {self.board} {self.points}: {self.people}"


class BoardAbsence(models.Model):
    """Somebody is off the boards until a moment that comes by itself: a silence ends without an event."""

    person = models.OneToOneField(PERSON, primary_key=True, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.person_id} until {self.until}"


class VoteFinding(models.Model):
    """Votes that look as if they were for a person, not for posts: found at night, decided by a moderator."""

    class Kind(models.TextChoices):
        SERIAL = "serial", _("Many votes for one person within a day")
        SHARE = "share", _("Most votes of one person go to another")
        MUTUAL = "mutual", _("Two people vote for each other")
        GROUP = "group", _("A few people vote for each other and hardly for anybody else")

    class State(models.TextChoices):
        OPEN = "open", _("To be decided")
        TAKEN_OUT = "taken_out", _("Votes taken out")
        LEFT = "left", _("Left as they are")
        GIVEN_BACK = "given_back", _("Taken out, and given back")

    kind = models.CharField(max_length=10, choices=Kind)
    mark = models.CharField(max_length=120, help_text=_("Kind and ids of the people: one open finding for each."))
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    people: Any = models.ManyToManyField(PERSON, related_name="+")
    evidence = models.JSONField(default=list, help_text=_("For each pair: giver, author, votes, of, share, days."))
    since = models.DateTimeField(help_text=_("The first vote of it."))
    until = models.DateTimeField(help_text=_("The last vote of it."))
    found_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-found_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["mark"], condition=Q(state="open"), name="finding_open_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.mark})"

    def get_absolute_url(self) -> str:
        return reverse("vote_findings:finding", args=[self.pk])


class VoteTakenOut(models.Model):
    """A vote that no longer counts, with what it takes to give it back."""

    finding = models.ForeignKey(VoteFinding, on_delete=models.CASCADE, related_name="votes")
    voter = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="+")
    target_type = models.ForeignKey(ContentType, on_delete=models.PROTECT, related_name="+")
    target_id = models.BigIntegerField()
    target = GenericForeignKey("target_type", "target_id")
    kept = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "voter", "target_type", "target_id"], name="taken_out_once")
        ]

    def __str__(self) -> str:
        return f"vote of {self.voter_id} on {self.target_type_id}:{self.target_id}"


class Rank(models.Model):
    """A name for a range of reputation, and nothing more: it opens no door."""

    class Drawing(models.TextChoices):
        """Our own, in the icon sheet."""

        SEED = "rank-1", _("Seed")
        SPROUT = "rank-2", _("Sprout")
        LEAVES = "rank-3", _("Two leaves")
        TWIG = "rank-4", _("Twig")
        BLOSSOM = "rank-5", _("Blossom")
        FRUIT = "rank-6", _("Fruit")
        TREE = "rank-7", _("Tree")
        MOUNTAIN = "rank-8", _("Mountain")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=60)
    threshold = models.PositiveIntegerField(_("from how many points"), unique=True)
    line = models.CharField(_("one line about it"), max_length=200, blank=True, default="")
    drawing = models.CharField(
        _("drawing"), max_length=10, choices=Drawing, default=Drawing.SEED, help_text=_("Shown beside the name.")
    )
    picture = models.ForeignKey(
        "core.CommunityImage",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("picture of your own"),
        help_text=_("Instead of the drawing, cut to a circle. A plain shape is best: it is as small as a letter."),
    )
    alt = models.CharField(
        _("alt text"), max_length=200, blank=True, default="", help_text=_("What the picture shows, for the ladder.")
    )
    shown = models.CharField(max_length=250, editable=False, default=Drawing.SEED)

    class Meta:
        ordering = ["threshold"]

    def __str__(self) -> str:
        return self.name


class Badge(models.Model):
    """What somebody did, said in a sentence to people and as data to the machine (`badges/`)."""

    class Area(models.TextChoices):
        ASKING = "asking", _("Asking")
        ANSWERING = "answering", _("Answering")
        REVIEWING = "reviewing", _("Reviewing")
        COOKING = "cooking", _("Cooking")
        TESTING = "testing", _("Testing")
        EDITING = "editing", _("Editing")
        MODERATING = "moderating", _("Moderating")
        WELCOMING = "welcoming", _("Welcoming")
        THANKS = "thanks", _("Thanks")

    class Level(models.TextChoices):
        BRONZE = "bronze", _("Bronze")
        SILVER = "silver", _("Silver")
        GOLD = "gold", _("Gold")

    class Awarded(models.TextChoices):
        ONCE = "once", _("Once in a life")
        MANY = "many", _("Once for each thing")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=60)
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.BRONZE)
    area = models.CharField(_("area"), max_length=30, choices=Area, default=Area.ANSWERING)
    glyph = models.CharField(_("drawing"), max_length=20, blank=True, default="")
    rule = models.CharField(_("what it is for"), max_length=300, help_text=_("One sentence, shown with the badge."))
    words = models.JSONField(
        _("in other languages"), default=dict, blank=True, help_text='{"de": {"name": "…", "rule": "…"}}'
    )
    award = models.JSONField(
        _("rule"),
        help_text=_("event, to, count, when, threshold, window_days; docs/badges.md says what each may be."),
    )
    event = models.CharField(max_length=60, editable=False, db_index=True, help_text=_("Copied from the rule."))
    awarded = models.CharField(_("how often"), max_length=5, choices=Awarded, default=Awarded.ONCE)
    per = models.CharField(_("for each"), max_length=20, blank=True, default="")
    kept = models.BooleanField(
        _("kept when its ground falls"),
        default=False,
        help_text=_("For what somebody did and others confirmed. What others think of a post goes when that changes."),
    )
    by_hand = models.BooleanField(_("given by hand"), default=False)
    at_most_people = models.PositiveSmallIntegerField(_("people at once, by hand"), default=50)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    retired_at = models.DateTimeField(null=True, blank=True, help_text=_("Kept by those who have it, given no more."))

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("badges:badge", args=[self.slug])

    def _word(self, field: str) -> str:
        language = (get_language() or "").partition("-")[0]
        return self.words.get(language, {}).get(field) or getattr(self, field)

    @property
    def label(self) -> str:
        """Its name in the language of the page."""
        return self._word("name")

    @property
    def sentence(self) -> str:
        """What it is for, in the language of the page."""
        return self._word("rule")

    @property
    def drawing(self) -> str:
        return self.glyph or self.area


class BadgeSweep(models.Model):
    """How far judging badges over the whole history has come, so that it goes on where it was stopped."""

    key = models.CharField(max_length=500, unique=True, help_text=_("Which badges: their slugs, or all."))
    after = models.BigIntegerField(default=0, help_text=_("Everybody up to this id is done."))
    given = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=clock.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.key} up to {self.after}"


class Award(models.Model):
    """A badge somebody has. `per_key` says for which thing, where there is one for each."""

    badge = models.ForeignKey(Badge, on_delete=models.CASCADE, related_name="awards")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="awards")
    per_key = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField(default=clock.now)
    reason = models.CharField(_("what for"), max_length=500, blank=True, default="")
    given_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = AwardQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["badge", "person", "per_key"], name="award_unique")]
        indexes = [
            models.Index(fields=["badge", "-at"], name="award_badge"),
            models.Index(fields=["person", "-at"], name="award_person"),
        ]

    def __str__(self) -> str:
        return f"{self.badge_id} for {self.person_id} {self.per_key}".strip()


class AdvocateMembership(models.Model):
    """Somebody's place in the programme. The truth; `User.standing` is its copy for bylines (RULINGS 7)."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        ACTIVE = "active", _("Active")
        AWAY = "away", _("Away")
        LEFT = "left", _("Left")

    user = models.OneToOneField(PERSON, on_delete=models.PROTECT, related_name="advocate", verbose_name=_("person"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.CANDIDATE)
    since = models.DateTimeField(_("since"), default=clock.now)
    until = models.DateTimeField(_("away until, or left on"), null=True, blank=True)
    note = models.CharField(_("note, as shown"), max_length=200, blank=True, default="")
    stand_in = models.ForeignKey(
        PERSON,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("who looks after the questions meanwhile"),
    )
    admitted_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField(null=True, blank=True, help_text=_("First time they were admitted."))
    resting_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Said that there is no time now: not asked until then.")
    )
    farewell = models.CharField(
        _("thanks at parting"), max_length=300, blank=True, default="", help_text=_("Shown with former advocates.")
    )
    removed = models.BooleanField(default=False, help_text=_("Left because the role was taken away."))

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("advocate")
        verbose_name_plural = _("advocates")
        permissions = [("manage_advocates", "Can run the programme: advocates, ranks and badges")]

    def __str__(self) -> str:
        return str(self.user)

    @property
    def is_current(self) -> bool:
        return self.state in (self.State.ACTIVE, self.State.AWAY)


class Expertise(models.Model):
    """A product an advocate answers for."""

    membership = models.ForeignKey(AdvocateMembership, on_delete=models.CASCADE, related_name="expertise")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="experts")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "expertise"
        constraints = [models.UniqueConstraint(fields=["membership", "product"], name="expertise_unique")]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.product_id}"


class Interest(models.Model):
    """A tie to the brand somebody declared, with dates; printed beside what they write in that time."""

    class Kind(models.TextChoices):
        FREE_PRODUCT = "free_product", _("A product for free")
        PAYMENT = "payment", _("A payment")
        EMPLOYMENT = "employment", _("Employment")
        FAMILY = "family", _("Family")
        OTHER = "other", _("Something else")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="interests")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    line = models.CharField(_("in a line"), max_length=200, help_text=_("As printed: “Given a Mill 54 in May 2023.”"))
    since = models.DateField(_("since"))
    until = models.DateField(_("until"), null=True, blank=True)
    declared_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=models.F("since")), name="interest_ends_after_start"
            ),
            models.UniqueConstraint(fields=["person", "kind", "line", "since"], name="interest_unique"),
        ]

    def __str__(self) -> str:
        return self.line


class Ask(models.Model):
    """An advocate was asked to look at a thread: what the weekly limit counts. At most three have a place."""

    class Why(models.TextChoices):
        NOT_MY_PRODUCT = "not_my_product", _("Not my product")
        NO_TIME = "no_time", _("No time now")
        DONT_KNOW = "dont_know", _("I don't know")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="asks")
    thread = models.ForeignKey("questions.Thread", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)
    place = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("First, second or third; empty for who stands in, or found it alone.")
    )
    by_choice = models.BooleanField(default=False, help_text=_("Found in their queue; nobody asked them."))
    answered_at = models.DateTimeField(null=True, blank=True)
    passed_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=20, choices=Why, blank=True, default="")
    handed_to = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "thread"], name="ask_once_per_thread"),
            models.UniqueConstraint(fields=["thread", "place"], name="ask_one_per_place"),
        ]
        indexes = [models.Index(fields=["person", "at"], name="ask_person"), models.Index(fields=["at"], name="ask_at")]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.thread_id}"


class Claim(models.Model):
    """An advocate is writing an answer: for ten minutes no other advocate begins one. Everybody else may."""

    thread = models.OneToOneField("questions.Thread", on_delete=models.CASCADE, related_name="claim")
    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.person_id} on {self.thread_id}"


class Lesson(models.Model):
    """What a pass taught about whom to ask: a factor on what somebody knows of a thing (`ranking.py`)."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="lessons")
    kind = models.CharField(max_length=7, choices=Competence.Kind)
    key = models.BigIntegerField(help_text=_("Id of the product or the topic."))
    factor = models.FloatField(default=1)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind", "key"], name="lesson_unique")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind} {self.key}: {self.factor}"


class Rhythm(models.Model):
    """When in the week an advocate answers, for routing alone: shown to nobody (`rhythm.py`)."""

    person = models.OneToOneField(PERSON, on_delete=models.CASCADE, related_name="rhythm")
    hours = models.JSONField(default=list, help_text=_("168 weights, from Monday 0 h UTC."))
    since = models.DateTimeField(default=clock.now)
    at = models.DateTimeField(default=clock.now, help_text=_("As of when the weights are."))

    def __str__(self) -> str:
        return f"rhythm of {self.person_id}"


class CodeOfConduct(Body):
    """A version of what an advocate promises. Never changed: an edit is the next version."""

    version = models.PositiveIntegerField(unique=True)
    published_at = models.DateTimeField(default=clock.now)
    published_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    what_changed = models.CharField(_("what changed"), max_length=300, blank=True, default="")

    class Meta:
        ordering = ["-version"]
        verbose_name = _("code of conduct")
        verbose_name_plural = _("code of conduct")

    def __str__(self) -> str:
        return f"{self.version}"


class CodeAcceptance(models.Model):
    """Somebody accepted a version on a day."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="codes_accepted")
    code = models.ForeignKey(CodeOfConduct, on_delete=models.PROTECT, related_name="acceptances")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "code"], name="code_accepted_once")]

    def __str__(self) -> str:
        return f"{self.person_id} accepted {self.code_id}"


class Application(models.Model):
    """Somebody's way into the programme, or to a further product: asked or invited, tried, judged, decided."""

    class State(models.TextChoices):
        INVITED = "invited", _("Invited")
        TRIAL = "trial", _("Trial")
        JUDGING = "judging", _("Being judged")
        JUDGED = "judged", _("Waits for a decision")
        ACCEPTED = "accepted", _("Accepted")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="applications", verbose_name=_("person"))
    state = models.CharField(_("state"), max_length=10, choices=State)
    motivation = models.TextField(blank=True, default="")
    invited_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    applied_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(PERSON, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="", help_text=_("Of the decision; they read it."))

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(state__in=OPEN_APPLICATIONS),
                name="application_one_open",
            )
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="application_state")]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.state}"

    def get_absolute_url(self) -> str:
        return reverse("advocates:apply")

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_APPLICATIONS


class AppliedProduct(models.Model):
    """A product somebody would answer for, and whether they were accepted for it."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="products")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    accepted = models.BooleanField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["application", "product"], name="applied_product_unique")]

    def __str__(self) -> str:
        return f"{self.application_id}: {self.product_id}"


class TrialItem(models.Model):
    """A real, old, solved question, shown to an applicant without its answers; and what they would answer."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="trial")
    thread = models.ForeignKey("questions.Thread", on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answer = models.TextField(blank=True, default="")
    answer_html = models.TextField(blank=True, default="", editable=False)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["application", "thread"], name="trial_item_unique")]

    def __str__(self) -> str:
        return f"{self.application_id}: {self.thread_id}"


class Judge(models.Model):
    """An advocate who judges a trial. The third is asked where the first two differ."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="judges")
    person = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="judged_trials")
    place = models.PositiveSmallIntegerField()
    asked_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["application", "person"], name="judge_once"),
            models.UniqueConstraint(fields=["application", "place"], name="judge_one_per_place"),
            models.CheckConstraint(condition=Q(place__range=(1, 3)), name="judge_of_three"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} judges {self.application_id}"

    def get_absolute_url(self) -> str:
        return reverse("advocates:judge", args=[self.application_id])


class Judgement(models.Model):
    """Whether an answer of a trial would help its asker, by one judge."""

    judge = models.ForeignKey(Judge, on_delete=models.CASCADE, related_name="judgements")
    item = models.ForeignKey(TrialItem, on_delete=models.CASCADE, related_name="judgements")
    helps = models.BooleanField()
    note = models.CharField(max_length=500, blank=True, default="")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["judge", "item"], name="judgement_unique")]

    def __str__(self) -> str:
        return f"{self.judge_id} on {self.item_id}: {self.helps}"


class Letter(models.Model):
    """What came of an advocate's month, signed by a department. Its figures are those of the day it was written."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="letters")
    month = models.DateField(help_text=_("Its first day."))
    department = models.ForeignKey(Department, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    signed_by = models.CharField(max_length=120, blank=True, default="", help_text=_("As it was signed."))
    answers = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    readers = models.PositiveIntegerField(default=0)
    fixes = models.PositiveIntegerField(default=0)
    thanks = models.PositiveIntegerField(default=0)
    contacts_saved = models.PositiveIntegerField(default=0)
    per_hundred = models.PositiveSmallIntegerField(
        default=0, help_text=_("Assumed: of a hundred readers so many would have written to us.")
    )
    written_at = models.DateTimeField(default=clock.now)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-month", "-id"]
        constraints = [models.UniqueConstraint(fields=["person", "month"], name="letter_once_a_month")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.month}"

    def get_absolute_url(self) -> str:
        """Signed: whoever has the address can see that the letter is genuine, and nobody guesses one."""
        return reverse("advocates:letter", args=[Signer(salt="advocates.letter").sign(str(self.pk))])


class Thanks(Moderated):
    """A thank you of an asker for an answer: seen by its author; by everybody, if both like."""

    answer = models.OneToOneField("questions.Answer", on_delete=models.CASCADE, related_name="thanks")
    author = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="thanks_given")
    body_text = models.CharField(_("your words"), max_length=300)
    asker_shows = models.BooleanField(_("others may read it"), default=False)
    answerer_shows = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=clock.now)

    objects = ThanksQuerySet.as_manager()

    class Meta:
        verbose_name = _("thank you")
        verbose_name_plural = _("thank yous")

    def __str__(self) -> str:
        return self.body_text

    def get_absolute_url(self) -> str:
        return reverse("advocates:thanks", args=[self.answer_id])

    def published_event(self) -> tuple[str, dict[str, Any]]:
        return "thanks.given", {"answer": self.answer_id}
