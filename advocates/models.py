"""What people earn by others' judgement, and the programme of those who help most (FEATURES F)."""

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from community.core import clock
from community.events.models import Event
from community.posts.models import Topic
from products.models import Product

from .querysets import AwardQuerySet, BoardScoreQuerySet, EntryQuerySet, MembershipQuerySet

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
    """What somebody did, said in a sentence to people and as data to the machine (`badges.py`)."""

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
    area = models.SlugField(_("area"), max_length=30, blank=True, default="")
    rule = models.CharField(_("what it is for"), max_length=300, help_text=_("One sentence, shown with the badge."))
    award = models.JSONField(
        _("rule"),
        help_text=_("event, to, count, when, threshold, window_days; docs/badges.md says what each may be."),
    )
    event = models.CharField(max_length=60, editable=False, db_index=True, help_text=_("Copied from the rule."))
    awarded = models.CharField(_("how often"), max_length=5, choices=Awarded, default=Awarded.ONCE)
    per = models.CharField(_("for each"), max_length=20, blank=True, default="")
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
    """An advocate was asked to look at a thread: what the weekly limit counts."""

    person = models.ForeignKey(PERSON, on_delete=models.CASCADE, related_name="asks")
    thread = models.ForeignKey("questions.Thread", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "thread"], name="ask_once_per_thread")]
        indexes = [models.Index(fields=["person", "at"], name="ask_person")]

    def __str__(self) -> str:
        return f"{self.person_id} about {self.thread_id}"
