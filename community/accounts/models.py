"""People, and the departments some of them speak for."""

from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from community.core import clock
from community.core.models import Sourced, one_per_source
from community.core.spoken import Spoken, words_of

from .hours import in_words, is_the_same
from .querysets import DepartmentQuerySet, UserManager

FACTORS = ("totp", "webauthn")  # allauth's names of an app with codes, and of a key


class TrustLevel(models.IntegerChoices):
    """What somebody may do, by conduct over time (FEATURES F). Limits fall away as it grows."""

    NEWCOMER = 0, _("Newcomer")
    MEMBER = 1, _("Member")
    REGULAR = 2, _("Regular")
    LEADER = 3, _("Leader")


class Standing(models.TextChoices):
    """As whom somebody speaks; printed beside the name wherever it stands."""

    MEMBER = "member", _("Member")
    ADVOCATE = "advocate", _("Advocate")
    FORMER_ADVOCATE = "former_advocate", _("Former advocate")
    STAFF = "staff", _("Staff")
    FORMER_STAFF = "former_staff", _("Former staff")
    ERASED = "erased", _("Former member")


class Department(Spoken):
    """A part of the brand that answers for something. Archived when it ends, never deleted (RULINGS 16).

    Printed, it is called as the reader's language has it (decision 0243).
    """

    SPOKEN = ("name", "hours_text")

    slug = models.SlugField(unique=True)
    name = models.CharField(_("name"), max_length=80)
    lead = models.ForeignKey("User", null=True, blank=True, on_delete=models.SET_NULL, related_name="leads")
    mailbox = models.EmailField(_("mailbox"), blank=True, default="")
    time_zone = models.CharField(_("time zone"), max_length=60, default="Europe/Berlin")
    hours = models.JSONField(
        _("business hours"),
        default=dict,
        blank=True,
        help_text=_('Weekday (0 is Monday) to a list of spans: {"0": [["08:00", "18:00"]]}.'),
    )
    holiday_country = models.CharField(_("public holidays of"), max_length=2, blank=True, default="")
    holiday_region = models.CharField(_("and there of"), max_length=10, blank=True, default="")
    holidays = models.JSONField(_("holidays"), default=list, blank=True, help_text=_("Month-day or full dates."))
    acknowledge_hours = models.FloatField(
        _("acknowledge within business hours"), default=4, help_text=_("Where the policy of a case names no hours.")
    )
    resolve_hours = models.FloatField(
        _("resolve within business hours"), default=24, help_text=_("Where the policy of a case names no hours.")
    )
    hours_text = models.CharField(
        _("beside the hours"), max_length=200, blank=True, default="",
        help_text=_(
            "What the hours don't say, such as: by telephone until 16:00. The hours themselves stand there anyway."
        ),
    )  # fmt: skip
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = DepartmentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.said.name

    @property
    def open_hours(self) -> str:
        """The hours that its clocks keep, in words."""
        return in_words(self.hours, self.time_zone)

    @property
    def says_more(self) -> bool:
        """Whether the words beside the hours say anything that these don't."""
        words = words_of(self, "hours_text")[0]
        return bool(words) and not is_the_same(words, self.hours)


class User(Sourced, AbstractBaseUser, PermissionsMixin):
    """A person. What a byline shows is copied here by the rooms above (RULINGS 7), so that it costs no join."""

    username = models.CharField(_("user name"), max_length=40, unique=True)
    username_key = models.CharField(max_length=80, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    # Null, not empty, for imported people without one: the unique constraint must let many of them be.
    email = models.EmailField(_("e-mail address"), null=True, blank=True)  # noqa: DJ001
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, editable=False)
    date_joined = models.DateTimeField(default=clock.now)

    city = models.CharField(_("place"), max_length=80, blank=True, default="")
    # Here and not on the profile: every byline shows it (decision 0245). Written by `services.change_picture` alone.
    avatar = models.FileField(_("picture"), upload_to="avatars/", blank=True, default="", editable=False)
    language = models.CharField(max_length=10, blank=True, default="")
    time_zone = models.CharField(max_length=60, blank=True, default="")

    standing = models.CharField(max_length=20, choices=Standing, default=Standing.MEMBER)
    department = models.ForeignKey(
        Department,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="staff",
        help_text=_("The department somebody speaks for; membership itself is a row of its own."),
    )
    trust = models.PositiveSmallIntegerField(choices=TrustLevel, default=TrustLevel.NEWCOMER)
    reputation = models.IntegerField(default=1)
    rank_name = models.CharField(max_length=60, blank=True, default="")
    rank_picture = models.CharField(
        max_length=250,
        blank=True,
        default="",
        help_text="A drawing of ours, such as rank-3, or a picture's address.",
    )
    badge_counts = models.JSONField(default=dict, blank=True, help_text="{'gold': 1, 'silver': 2, 'bronze': 5}")
    interests_text = models.CharField(
        max_length=400,
        blank=True,
        default="",
        help_text=_("Declared ties to the brand, as printed beside the name."),
    )
    ties = models.JSONField(
        default=list,
        blank=True,
        editable=False,
        help_text="[['2023-05-04', '' or the last day, 'Given a Mill 54 in May 2023.']]",
    )
    expertise_text = models.CharField(max_length=200, blank=True, default="")

    hide_from_boards = models.BooleanField(_("leave me out of leaderboards"), default=False)
    shortcuts = models.BooleanField(_("single keys do things on pages"), default=True)
    invitable = models.BooleanField(_("others may invite me to answer"), default=True)
    is_away = models.BooleanField(
        default=False, editable=False, help_text=_("Copied from the programme of advocates: nobody invites them.")
    )
    silenced_until = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text=_("When an imported person took over."))

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint("email", condition=Q(email__isnull=False), name="user_email_unique"),
            one_per_source("user_one_per_source"),
        ]
        indexes = [models.Index(fields=["-reputation", "id"], name="user_reputation")]

    at_the_door = False  # this is who a request comes from (`core.middleware.SecondFactorMiddleware`)
    missed_factor = False  # they were refused something for want of a second factor alone

    def __str__(self) -> str:
        return gettext("Former member") if self.is_erased else self.name or self.username

    def get_absolute_url(self) -> str:
        return reverse("people:person", args=[self.username])

    @property
    def place(self) -> str:
        """Where they live, as far as they show it. Lists join the profile for it."""
        profile = getattr(self, "profile", None) if self.city else None
        return self.city if profile is None or profile.show_city else ""

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] or self.username

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """At the door staff have the powers of their role only with a second factor (decision 0015)."""
        if not super().has_perm(perm, obj):
            return False
        if self.at_the_door and self.lacks_factor:
            self.missed_factor = True
            return False
        return True

    @cached_property
    def lacks_factor(self) -> bool:
        """Staff who set up no app and no key. Recovery codes alone are no second factor."""
        if not (self.is_superuser or self.is_staff or super().has_perm("wagtailadmin.access_admin")):
            return False
        if not hasattr(self, "_has_factor"):  # read along with the permissions (`backends.Permissions`)
            found = apps.get_model("mfa", "Authenticator")._default_manager.filter(user=self, type__in=FACTORS)
            self._has_factor = found.exists()
        return not self._has_factor

    @property
    def initials(self) -> str:
        words = [word for word in self.name.replace("-", " ").split() if word[:1].isalnum()]
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()[:2]

    @property
    def tone(self) -> str:
        """The tint of the plate behind the initials; fixed for a person."""
        return ("clay", "moss", "steel", "straw", "rose")[(self.pk or 0) % 5]

    @property
    def speaks_for_brand(self) -> bool:
        return self.standing == Standing.STAFF

    @property
    def is_advocate(self) -> bool:
        return self.standing == Standing.ADVOCATE

    def ties_on(self, moment: datetime | None) -> str:
        """The ties declared for the day something was written, past ones too: what is printed beside it."""
        if moment is None or not self.ties:
            return ""
        day = moment.astimezone(UTC).date().isoformat()
        lines = dict.fromkeys(line for since, until, line in self.ties if since <= day and (not until or day <= until))
        return " ".join(lines)

    @property
    def is_erased(self) -> bool:
        return self.standing == Standing.ERASED

    def is_silenced(self, at: datetime | None = None) -> bool:
        return self.silenced_until is not None and self.silenced_until > (at or clock.now())


class Profile(models.Model):
    """What somebody tells about themselves; read on their page only."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    about = models.TextField(_("about you"), blank=True, default="")
    about_html = models.TextField(blank=True, default="", editable=False)
    show_shelf = models.BooleanField(_("show my products"), default=False)
    show_city = models.BooleanField(_("show my place"), default=True)

    def __str__(self) -> str:
        return str(self.user)


class Membership(models.Model):
    """Somebody works in a department."""

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    away_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["department", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} in {self.department}"


class Penalty(models.Model):
    """What a moderator did because of somebody's conduct: why, until when, and whether it was undone."""

    class Step(models.TextChoices):
        WARN = "warn", _("Warning")
        SILENCE = "silence", _("Silence")
        SUSPEND = "suspend", _("Suspension")

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="penalties")
    step = models.CharField(max_length=10, choices=Step)
    hours = models.PositiveIntegerField(null=True, blank=True, help_text=_("Empty: for good, or a warning."))
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField(null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["until"], condition=Q(lifted_at=None), name="penalty_standing")]

    def __str__(self) -> str:
        return f"{self.step}: {self.person}"

    @property
    def stands(self) -> bool:
        return self.lifted_at is None and (self.until is None or self.until > clock.now())


class FormerUsername(models.Model):
    """A name somebody had; its page redirects, and nobody else can take it."""

    username = models.CharField(max_length=40, unique=True)
    username_key = models.CharField(max_length=80, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_usernames")
    until = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.username
