"""Badges at the desk: made, tried and changed without code; given by hand with a reason."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import BooleanColumn
from wagtail.admin.views import generic

from community.accounts.models import User
from community.events import acting

from . import badges, services
from .badges.fields import EVENTS, FIELDS, fields_of, read_value, write_value
from .badges.language import LONGEST_WINDOW
from .models import Award, Badge
from .screens import ConfirmView, CreateView, EditView, ManagersOnly, Screens, ServiceForm, claimable

CONDITIONS = 4
OWN_LANGUAGE = settings.LANGUAGE_CODE.partition("-")[0]
OTHER_LANGUAGES = [(code, name) for code, name in settings.LANGUAGES if code != OWN_LANGUAGE]
OPERATORS = {"is": _("is"), "is not": _("is not"), ">=": _("at least"), ">": _("more than"), "<=": _("at most"),
             "<": _("less than")}  # fmt: skip


def _field_choices() -> list[Any]:
    groups = [
        (label, [(f"{event}|{field}", FIELDS[field][0]) for field in fields_of(event)])
        for event, label in EVENTS.items()
    ]
    return [("", "-"), *groups]


class ConditionWidget(forms.MultiWidget):
    template_name = "advocates/admin/condition.html"

    def __init__(self) -> None:
        super().__init__(
            [
                forms.Select(choices=_field_choices(), attrs={"aria-label": _("What is asked")}),
                forms.Select(choices=list(OPERATORS.items()), attrs={"aria-label": _("How it is compared")}),
                forms.TextInput(attrs={"aria-label": _("With what")}),
            ]
        )

    def decompress(self, value: Any) -> list[Any]:
        return value or ["", "is", ""]


class ConditionField(forms.MultiValueField):
    """One condition of a rule: `[field, operator, value]`, or None where nothing is asked."""

    def __init__(self, **kwargs: Any) -> None:
        fields = (
            forms.ChoiceField(choices=_field_choices, required=False),
            forms.ChoiceField(choices=list(OPERATORS.items()), required=False),
            forms.CharField(required=False),
        )
        super().__init__(fields, widget=ConditionWidget(), required=False, require_all_fields=False, **kwargs)

    def compress(self, parts: list[str]) -> list[Any] | None:
        if not parts or not parts[0]:
            return None
        _event, _bar, field = parts[0].partition("|")
        return [field, parts[1] or "is", read_value(field, parts[2] or "")]


class BadgeForm(ServiceForm):
    """A rule in fields. What it becomes is the same data as in house.yaml."""

    given = forms.ChoiceField(
        label=_("How it is given"), choices=[("rule", _("By a rule")), ("hand", _("By hand, with a reason"))]
    )
    event = forms.ChoiceField(label=_("What is counted"), choices=list(EVENTS.items()), required=False)
    to = forms.ChoiceField(
        label=_("Whose badge it is"),
        choices=[("author", _("Of the author of what was judged")), ("actor", _("Of who judged or did it"))],
        required=False,
    )
    count = forms.ChoiceField(
        label=_("Counted are"),
        choices=[
            ("things", _("different posts")),
            ("people", _("different other people")),
            ("newcomers", _("different people who asked")),
            ("events", _("everything")),
        ],
        required=False,
    )
    threshold = forms.IntegerField(label=_("How many"), min_value=1, required=False, initial=1)
    window_days = forms.IntegerField(
        label=_("Within how many days of each other"),
        min_value=1,
        max_value=LONGEST_WINDOW,
        required=False,
        help_text=_("Empty: ever."),
    )
    per = forms.ChoiceField(
        label=_("How often"),
        choices=[
            ("", _("Once in a life")),
            ("thread", _("Once for each thread")),
            ("answer", _("Once for each answer")),
            ("review", _("Once for each review")),
            ("recipe", _("Once for each recipe")),
            ("tip", _("Once for each tip")),
            ("incident", _("Once for each known issue")),
            ("reason", _("Once for each reason")),
        ],
        required=False,
    )

    class Meta:
        model = Badge
        fields = ["slug", "name", "rule", "level", "area", "kept", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        badge = self.instance
        drawings = sorted(badges.GLYPHS.items(), key=lambda row: str(row[1]))
        self.fields["glyph"] = forms.ChoiceField(
            label=_("Drawing"), choices=[("", _("That of its area")), *drawings], required=False, initial=badge.glyph
        )
        for code, language in OTHER_LANGUAGES:
            known = badge.words.get(code, {})
            self.fields[f"name_{code}"] = forms.CharField(
                label=_("Name (%(language)s)") % {"language": language}, max_length=60, required=False,
                initial=known.get("name", ""),
            )  # fmt: skip
            self.fields[f"rule_{code}"] = forms.CharField(
                label=_("What it is for (%(language)s)") % {"language": language}, max_length=300, required=False,
                initial=known.get("rule", ""),
            )  # fmt: skip
        rule = badge.award if isinstance(badge.award, dict) else {}
        conditions = rule.get("when", [])
        for number in range(max(CONDITIONS, len(conditions))):
            self.fields[f"condition_{number}"] = ConditionField(
                label=_("Only if") if number == 0 else _("and if"),
                initial=self._shown(rule, conditions[number]) if number < len(conditions) else None,
            )
        if badge.pk:
            self.fields["slug"].disabled = True
            self.fields["given"].disabled = True
            self.fields["given"].initial = "hand" if badge.by_hand else "rule"
            for name in ("event", "to", "count", "threshold", "window_days"):
                if not badge.by_hand:
                    self.fields[name].initial = rule.get(name)
            if rule.get("people") == "thread.author":
                self.fields["count"].initial = "newcomers"
            self.fields["per"].initial = badge.per if badge.awarded == Badge.Awarded.MANY else ""
        words = [f"{word}_{code}" for code, _name in OTHER_LANGUAGES for word in ("name", "rule")]
        asked = [name for name in self.fields if name.startswith("condition_")]
        self.order_fields(
            [
                "slug", "name", "rule", *words, "level", "area", "glyph", "given", "event", "to", "count", "threshold",
                *asked, "window_days", "per", "kept", "position",
            ]
        )  # fmt: skip

    @staticmethod
    def _shown(rule: dict[str, Any], condition: list[Any]) -> list[str]:
        return [f"{rule.get('event')}|{condition[0]}", condition[1], write_value(condition[2])]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("given") == "rule":
            for name in ("event", "to", "count", "threshold"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, _("Please choose.") if name != "threshold" else _("Say how many."))
            for name in self.fields:
                condition = data.get(name) if name.startswith("condition_") else None
                if condition and condition[0] not in fields_of(data.get("event") or ""):
                    self.add_error(name, _("That is not known of what is counted. Choose from the same group."))
        return data

    def award(self) -> dict[str, Any]:
        """The rule as data."""
        data = self.cleaned_data
        if data["given"] == "hand":
            return {"event": badges.BY_HAND, "to": "author", "count": "events", "when": [], "threshold": 1,
                    "window_days": None}  # fmt: skip
        newcomers = data["count"] == "newcomers"
        rule = {
            "event": data["event"],
            "to": data["to"],
            "count": "people" if newcomers else data["count"],
            "when": [data[name] for name in self.fields if name.startswith("condition_") and data.get(name)],
            "threshold": data["threshold"],
            "window_days": data["window_days"],
        }
        return {**rule, "people": "thread.author"} if newcomers else rule

    def data_of_badge(self) -> dict[str, Any]:
        data = self.cleaned_data
        hand = data["given"] == "hand"
        per = "reason" if hand else data["per"]
        words = {
            code: {word: data[f"{word}_{code}"] for word in ("name", "rule") if data[f"{word}_{code}"]}
            for code, _name in OTHER_LANGUAGES
        }
        known = {name: data[name] for name in ("slug", "name", "rule", "level", "area", "glyph", "kept")}
        return {
            **known,
            "words": {code: said for code, said in words.items() if said},
            "award": self.award(),
            "awarded": Badge.Awarded.MANY if per else Badge.Awarded.ONCE,
            "per": per,
            "by_hand": hand,
        }

    def call(self) -> Badge:
        return services.save_badge(self.by, self.data_of_badge(), position=self.cleaned_data["position"])

    def add_error(self, field: str | None, error: Any) -> None:
        """What the service says of the rule as a whole stands above the form."""
        if isinstance(error, ValidationError) and field == "award":
            field = None
        super().add_error(field, error)

    def as_badge(self) -> Badge:
        """The badge as it would be saved, for a look beforehand."""
        data = self.data_of_badge()
        fields = {
            name: data[name] for name in ("slug", "name", "level", "area", "glyph", "kept", "award", "awarded", "per")
        }
        return Badge(pk=self.instance.pk, event=data["award"]["event"], by_hand=data["by_hand"], **fields)


class WithPreview:
    """“See who would get it” posts the form and saves nothing."""

    template_name = "advocates/admin/badge.html"

    def form_valid(self, form: Any) -> HttpResponse:
        if "preview" not in self.request.POST:  # type: ignore[attr-defined]
            return super().form_valid(form)  # type: ignore[misc]
        acting.only_looked()
        context = self.get_context_data(form=form)  # type: ignore[attr-defined]
        badge = form.as_badge()
        context["badge"] = badge
        if badge.by_hand:
            context["by_hand"] = True
        else:
            try:
                context["preview"] = badges.preview(badge)
            except badges.TooSlow:
                context["too_slow"] = True
        return self.render_to_response(context)  # type: ignore[attr-defined]


class BadgeCreateView(WithPreview, CreateView):
    pass


class BadgeEditView(WithPreview, EditView):
    pass


class BadgeDeleteView(ConfirmView):
    """Badges are retired, not deleted: who has one keeps it."""

    page_title = _("Retire")
    question = _("Give this badge no more? Whoever has it keeps it as long as its ground holds.")
    yes = _("Yes, retire it")
    success_message = _("Badge “%(object)s” is given no more.")

    def act(self, form: Any) -> None:
        services.retire_badge(self.object, self.request.user)


class BadgeViewSet(Screens):
    model = Badge
    icon = "pick"
    form_fields = ["slug", "name", "rule", "level", "area", "kept", "position"]
    list_display = [
        "name",
        "level",
        "area",
        "rule",
        "awarded",
        BooleanColumn("kept", label=capfirst(_("kept when its ground falls")), sort_key="kept"),
        "retired_at",
    ]
    list_filter = ["level", "area", "by_hand"]
    search_fields = ["name", "slug", "rule"]
    search_backend_name = None
    list_export = ["slug", "name", "level", "area", "rule", "awarded", "per", "kept"]
    add_view_class = BadgeCreateView
    edit_view_class = BadgeEditView
    delete_view_class = BadgeDeleteView
    create_template_name = edit_template_name = "advocates/admin/badge.html"

    def get_form_class(self, for_update: bool = False) -> Any:
        return BadgeForm


class AwardForm(ServiceForm):
    """Thank people by hand. They are named by user name: a list of everybody would be as long as the community."""

    people = forms.CharField(
        label=_("people"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("User names, one a line or with commas between them; at most as many as the badge allows (50)."),
    )

    class Meta:
        model = Award
        fields = ["badge", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        badge: Any = self.fields["badge"]
        badge.queryset = Badge.objects.filter(by_hand=True, retired_at=None)
        self.fields["reason"].required = True
        self.fields["reason"].help_text = _("Everybody reads it: what they did, in 20 characters or more.")

    def clean_people(self) -> list[User]:
        names = list(
            dict.fromkeys(name.lstrip("@").lower() for name in re.split(r"[\s,;]+", self.cleaned_data["people"]))
        )
        names = [name for name in names if name]
        if not names:
            raise ValidationError(self.fields["people"].error_messages["required"])
        found = {person.username.lower(): person for person in User.objects.members().filter(
            claimable(), Q(username__in=names))}  # fmt: skip
        if missing := [name for name in names if name not in found]:
            raise ValidationError(_now("Not found among the members: %(names)s.") % {"names": ", ".join(missing[:20])})
        return [found[name] for name in names]

    def call(self) -> Award:
        data = self.cleaned_data
        return services.give_badge(data["badge"], data["people"], self.by, reason=data["reason"])[0]


class AwardIndexView(generic.IndexView):
    """What people gave: badges that follow their rule stand on their own pages."""

    page_title = _("Thanks by hand")
    header_title = _("Thanks by hand")
    add_item_label = _("Thank people")

    def get_base_queryset(self) -> Any:
        by_hand = Award.objects.filter(badge__by_hand=True)
        return by_hand.select_related("badge", "person", "given_by").order_by("-at", "-pk")

    def get_list_more_buttons(self, instance: Award) -> list[Any]:
        """What Wagtail would call deleting is taking back: its person reads why."""
        url = self.get_delete_url(instance)
        return [MenuItem(_("Take back"), url=url, icon_name="rotate", priority=30)] if url else []


class AwardCreateView(CreateView):
    def get_success_message(self, instance: Award) -> str:
        people = len(self.form.cleaned_data["people"])
        return ngettext(
            "“%(badge)s” is given to %(n)d person, who is told.", "“%(badge)s” is given to %(n)d people; each is told.",
            people,
        ) % {"badge": instance.badge.label, "n": people}  # fmt: skip

    def get_success_buttons(self) -> list[Any]:
        return []  # there is nothing to edit


class TakeBackForm(forms.Form):
    reason = forms.CharField(
        label=_("Why"), max_length=500, help_text=_("They read it with the notice that the badge is gone.")
    )


class AwardDeleteView(ConfirmView):
    form_class = TakeBackForm
    page_title = _("Take back")
    question = _("Take this badge back? The other people who were given it keep theirs.")
    yes = _("Take it back")
    success_message = _("Taken back.")

    def get_page_subtitle(self) -> str:
        return f"{self.object.badge.label}: {self.object.person}"

    def act(self, form: Any) -> None:
        services.take_back_badge(self.object, self.request.user, reason=form.cleaned_data["reason"])


class GivenOrTakenBack(ManagersOnly):
    """What was given by hand is taken back, or left; its words are not changed afterwards."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action != "change" and super().user_has_permission(user, action)

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        return action != "change" and super().user_has_permission_for_instance(user, action, instance)


class AwardViewSet(Screens):
    model = Award
    icon = "pick"
    form_fields = ["badge", "reason"]
    list_display = ["badge", "person", "reason", "given_by", "at"]
    menu_label = _("Thanks by hand")
    index_view_class = AwardIndexView
    add_view_class = AwardCreateView
    delete_view_class = AwardDeleteView

    @property
    def permission_policy(self) -> Any:
        return GivenOrTakenBack(self.model)

    def get_form_class(self, for_update: bool = False) -> Any:
        return AwardForm
