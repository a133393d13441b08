from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MinLengthValidator
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Department, User
from community.core import text
from community.posts import tagging
from community.posts.doors import Trap
from products.models import Product

from . import ideas, services
from .likes import choices
from .models import Answer, FollowUp, IdeaStatus, Kind, Reconciled, Thread
from .permissions import agents

LIST_OF = forms.Textarea(attrs={"rows": 2})


class Tags(forms.CharField):
    """Words with commas between them."""

    def clean(self, value: Any) -> list[str]:
        line = super().clean(value)
        return [word.strip() for word in line.replace(";", ",").split(",") if word.strip()]


class ProductField(forms.ModelChoiceField):
    def label_from_instance(self, product: Any) -> str:
        return product.name


class ThreadForm(forms.Form):
    """What asking and editing share."""

    title = forms.CharField(
        label=_("What is it about, in one line?"),
        help_text=_("As you would say it to a friend. 15 letters or more."),
        min_length=services.SHORTEST_TITLE,
        max_length=services.LONGEST_TITLE,
        widget=forms.TextInput(attrs={"class": "input input--xl", "autocomplete": "off"}),
        error_messages={"min_length": _("A little longer, please: at least %(limit_value)d letters.")},
    )
    product = ProductField(
        label=_("Which product?"),
        queryset=Product.objects.all(),
        to_field_name="slug",
        required=False,
        empty_label=_("No product, something else"),
    )
    model_version = forms.CharField(
        label=_("Series or firmware"),
        required=False,
        max_length=120,
        help_text=_("If you know it. It stands on the plate beneath, or in the menu."),
    )
    body = forms.CharField(
        label=_("What happened?"),
        help_text=_("What you expected, what you saw, what you tried. Photos help: paste or drop them here."),
        min_length=services.SHORTEST_BODY,
        widget=forms.Textarea(attrs={"rows": 9}),
        error_messages={
            "min_length": _("A little more, please: at least %(limit_value)d letters. What you wrote is kept.")
        },
    )
    tags = Tags(
        label=_("Tags"),
        required=False,
        max_length=300,
        help_text=_("Up to five words, with commas between them: descaling, steam."),
    )


# What the box for the text is called, by kind: on the page, beside an error, and in the summary of errors.
BODY_LABELS = {
    Kind.QUESTION: _("What would you like to know?"),
    Kind.PROBLEM: _("What happened?"),
    Kind.IDEA: _("What do you propose, and what would it change?"),
    Kind.PRAISE: _("What do you like, and since when?"),
}


class AskForm(Trap, ThreadForm):
    """Asking, for members and for visitors. `user` is who asks: some may make tags, most can't."""

    kind = forms.ChoiceField(label=_("What kind is it?"), choices=Kind.choices, initial=Kind.QUESTION)
    suggested = forms.MultipleChoiceField(label=_("Suggested tags"), required=False)
    order_number = forms.CharField(label=_("Order number"), required=False, max_length=80)
    serial = forms.CharField(label=_("Serial number"), required=False, max_length=80)
    phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)
    call_when = forms.CharField(
        label=_("When to ring you"), required=False, max_length=80, help_text=_("If you would rather talk about it.")
    )
    note = forms.CharField(
        label=_("Anything else"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
    follow = forms.BooleanField(label=_("Mail me when somebody answers"), required=False, initial=True)

    other_product = ProductField(
        label=_("Another product"),
        queryset=Product.objects.all(),
        to_field_name="slug",
        required=False,
        empty_label=_("No product, something else"),
    )

    PRIVATE = ("order_number", "serial", "phone", "call_when", "note")
    # As they stand on the page, so that the summary of errors reads from top to bottom.
    field_order = ("title", "kind", "product", "other_product", "body", "model_version", "tags", "suggested", *PRIVATE)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if takes := tagging.too_few_to_make(user):
            self.fields["tags"].help_text = " ".join([str(self.fields["tags"].help_text), takes])
        self.fields["suggested"].choices = [(tag.slug, tag.name) for tag in tagging.vocabulary()]
        kind = self["kind"].value()
        self.fields["body"].label = BODY_LABELS.get(kind, BODY_LABELS[Kind.QUESTION])

    def clean(self) -> None:
        super().clean()
        self.cleaned_data["product"] = self.cleaned_data.get("product") or self.cleaned_data.get("other_product")
        if "tags" in self.cleaned_data:
            tags = [*self.cleaned_data["tags"], *self.cleaned_data.get("suggested", [])]
            self.cleaned_data["tags"] = list(tagging.named(tags).values())
            try:
                tagging.check_tags(tags, self.user)
            except ValidationError as error:
                self.add_error(None, error)
        self.check_trap()

    def clean_body(self) -> str:
        body = self.cleaned_data["body"]
        text.check_length(body, text.MAX_POST_BYTES)  # before somebody signs up, not after
        return body

    def private(self) -> dict[str, str]:
        return {name: self.cleaned_data.get(name, "") for name in self.PRIVATE}

    def as_written(self) -> dict[str, str]:
        """The form as it was sent, to be kept and filled in again: names to words, tags in one line."""
        written = {
            name: self[name].value() or "" for name in self.fields if name not in ("website", "started", "suggested")
        }
        written["tags"] = ", ".join(tagging.named(self._all_tags()).values())
        written["follow"] = "on" if written["follow"] else ""
        return written

    def _all_tags(self) -> list[str]:
        typed = str(self["tags"].value() or "").replace(";", ",").split(",")
        return [*typed, *(self["suggested"].value() or [])]


class Unmeasured(forms.Form):
    """A form to change a text: what comes back as it was is not measured, since another site may have set no bounds."""

    def leave_alone(self, **now: str) -> None:
        """`now`: what stands there, by field."""
        for name, words in now.items():
            field = self.fields.get(name)
            if field is not None and self.is_bound and _same(str(self[name].value() or ""), words):
                field.validators = [one for one in field.validators if not isinstance(one, LENGTHS)]


LENGTHS = (MinLengthValidator, MaxLengthValidator)


def _same(sent: str, words: str) -> bool:
    return text.clean_source(sent).strip() == words.strip()


class EditThreadForm(Unmeasured, ThreadForm):
    summary = forms.CharField(label=_("What did you change, and why?"), required=False, max_length=300)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, thread: Thread, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leave_alone(title=thread.title, body=thread.body_source)


class AnswerForm(Trap):
    body = forms.CharField(
        label=_("Your answer"),
        min_length=services.SHORTEST_BODY,
        widget=forms.Textarea(attrs={"rows": 8}),
        error_messages={
            "required": _("Write something first."),
            "min_length": _("A little more, please: at least %(limit_value)d letters. What you wrote is kept."),
        },
    )
    disclosure = forms.CharField(
        label=_("Your tie to the brand"),
        required=False,
        max_length=300,
        help_text=_("Only if there is one: a product you were given, a job, family. It is printed under your name."),
    )
    model_version = forms.CharField(label=_("Series or firmware it holds for"), required=False, max_length=120)
    official_for = forms.ModelChoiceField(
        label=_("Speak for"),
        queryset=Department.objects.none(),
        required=False,
        empty_label=_("Myself"),
    )
    sources = forms.CharField(
        label=_("Sources"), required=False, max_length=2000, widget=LIST_OF, help_text=_("One a line.")
    )
    recheck_on = forms.DateField(
        label=_("Look again on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, departments: Any = None, **kwargs: Any) -> None:
        """`departments`: those that the writer may speak for; None for who speaks for none."""
        super().__init__(*args, **kwargs)
        if departments is not None:
            self.fields["official_for"].queryset = departments  # type: ignore[attr-defined]
        else:
            for name in ("official_for", "sources", "recheck_on"):
                del self.fields[name]

    def clean(self) -> None:
        super().clean()
        self.check_trap()


class EditAnswerForm(Unmeasured):
    body = forms.CharField(
        label=_("The answer"), min_length=services.SHORTEST_BODY, widget=forms.Textarea(attrs={"rows": 12})
    )
    summary = forms.CharField(label=_("What did you change, and why?"), required=False, max_length=300)
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, answer: Answer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leave_alone(body=answer.body_source)


class SuggestForm(Unmeasured):
    """An edit of somebody else's words; a question has a title and tags, too."""

    title = forms.CharField(
        label=_("Title"), min_length=services.SHORTEST_TITLE, max_length=services.LONGEST_TITLE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    body = forms.CharField(
        label=_("The text"), min_length=services.SHORTEST_BODY, widget=forms.Textarea(attrs={"rows": 12})
    )
    tags = Tags(label=_("Tags"), required=False, max_length=300, help_text=_("With commas between them."))
    summary = forms.CharField(
        label=_("What do you change, and why?"), max_length=300, help_text=_("The reviewer reads it first.")
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, post: Thread | Answer, reviewing: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(post, Thread):
            self.leave_alone(title=post.title, body=post.body_source)
        else:
            self.leave_alone(body=post.body_source)
            del self.fields["title"], self.fields["tags"]
        if reviewing:
            del self.fields["summary"]


class OfficialForm(forms.Form):
    department = forms.ModelChoiceField(
        label=_("Department that stands behind it"), queryset=Department.objects.none(), empty_label=None
    )
    sources = forms.CharField(
        label=_("Sources"), required=False, max_length=2000, widget=LIST_OF, help_text=_("One a line.")
    )
    recheck_on = forms.DateField(
        label=_("Look again on"),
        required=False,
        help_text=_("When staff check whether it still holds."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, departments: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = departments  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=LIST_OF)


class NoteForm(forms.Form):
    note = forms.CharField(label=_("In one line"), max_length=300, widget=LIST_OF)


class OtherThreadForm(forms.Form):
    """Which other thread: one of those like it, or any by its number or address. `likes` are offered."""

    like = forms.CharField(label=_("Threads like this one"), required=False, max_length=18)
    of = forms.CharField(max_length=500, required=False, help_text=_("For example 214."))

    def __init__(self, *args: Any, likes: Sequence[Thread] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(likes)

    def offer(self, likes: Sequence[Thread]) -> None:
        """What is like it may be other threads by the time the form comes back; any thread may be named."""
        like, of = self.fields["like"], self.fields["of"]
        like.widget = forms.RadioSelect(choices=choices(likes)) if likes else forms.HiddenInput()
        of.required = of.widget.is_required = not likes and not self.data.get("like")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        like, of = given.get("like", ""), given.get("of", "")
        if like and of and like != of:
            self.add_error("of", _("Choose one above, or name one here, not both."))
        elif not like and not of and "of" not in self.errors:
            self.add_error("of", _("Choose one above, or name one here."))
        given["of"] = of or like
        return given


class DuplicateForm(OtherThreadForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["of"].label = _("Number or address of the thread that asked first")


class MergeForm(OtherThreadForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, required=False, widget=LIST_OF, help_text=_("Whoever asked reads it.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["of"].label = _("Number or address of the thread that stays")


class IdeaForm(forms.Form):
    """A status for an idea; offers those it can have next."""

    status = forms.ChoiceField(label=_("Status"), choices=IdeaStatus.choices)
    reason = forms.CharField(
        label=_("Why, or what you need to know"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Say why; everybody who voted will read it.")},
        help_text=_("Its author and everybody who voted or follows reads it."),
    )
    link = forms.CharField(
        label=_("Release note, or where it exists"),
        required=False,
        max_length=500,
        help_text=_("For Shipped and Already exists: the address of a page here, such as /help/…, or https://…"),
    )

    def __init__(self, *args: Any, thread: Thread | None = None, **kwargs: Any) -> None:
        if thread is not None:
            kwargs["initial"] = {"status": thread.idea_status} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        if thread is not None:
            # Any status may come back from a page that is old; the service says what is against it.
            self.fields["status"].widget.choices = [(s.value, s.label) for s in ideas.next_statuses(thread)]


class RecheckForm(forms.Form):
    holds = forms.ChoiceField(
        label=_("Does it still hold?"),
        choices=[("yes", _("It holds")), ("no", _("It does not; open the thread again"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=_("What you found"), required=False, max_length=300, widget=LIST_OF)


class MoveForm(Unmeasured):
    """A moderator retitles, retags or moves; never rewords (RULINGS 17)."""

    title = forms.CharField(label=_("Title"), max_length=services.LONGEST_TITLE)
    product = ProductField(
        label=_("Product"), queryset=Product.objects.all(), to_field_name="slug", required=False,
        empty_label=_("No product"),
    )  # fmt: skip
    tags = Tags(label=_("Tags"), required=False, max_length=300)
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("It stands in the history, and the author reads it.")
    )


class SplitForm(MoveForm):
    """What begins the new thread, what comes along, what it is called. `posts`: the (name, words) to choose from."""

    kind = forms.ChoiceField(label=_("What it is"), choices=Kind.choices)
    question = forms.ChoiceField(
        label=_("Whose words become the question"), widget=forms.RadioSelect,
        error_messages={"required": _("Choose the post that becomes the question.")},
    )  # fmt: skip
    along = forms.MultipleChoiceField(
        label=_("What else comes along"), required=False, widget=forms.CheckboxSelectMultiple
    )
    field_order = ["question", "along", "title", "kind", "product", "tags", "reason"]

    def __init__(self, *args: Any, posts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("question", "along"):
            self.fields[name].choices = posts  # type: ignore[attr-defined]
            self.fields[name].error_messages["invalid_choice"] = _("One of these was moved or taken away a moment ago.")
        self.fields["reason"].required = True
        self.fields["reason"].help_text = _("Whoever wrote what moves, asked or follows reads it.")


class MovePostsForm(OtherThreadForm):
    """What goes to another thread, and to which. `posts`: the (name, words) to choose from."""

    posts = forms.MultipleChoiceField(
        label=_("What moves"), widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose at least one post."),
            "invalid_choice": _("One of these was moved or taken away a moment ago."),
        },
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=300, help_text=_("Whoever wrote what moves, asked or follows reads it.")
    )
    field_order = ("posts", "like", "of", "reason")

    def __init__(self, *args: Any, posts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["posts"].choices = posts  # type: ignore[attr-defined]
        self.fields["of"].label = _("Number or address of the thread where it belongs")


class MergedForm(forms.Form):
    """The title of a merged thread, as it stands under "Also asked"."""

    title = forms.CharField(label=_("Title"), max_length=200)
    hidden = forms.BooleanField(label=_("Do not show it to readers at all"), required=False)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=300)


class DisagreeForm(forms.Form):
    note = forms.CharField(
        label=_("In what they disagree"), max_length=300, widget=LIST_OF, help_text=_("Readers see it, above both.")
    )
    reconciler = forms.ModelChoiceField(
        label=_("Who settles it"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("I do"),
        help_text=_("The thread names this person until it is settled."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reconciler"].queryset = agents()  # type: ignore[attr-defined]


class ReconcileForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Which one holds?"), choices=Reconciled.choices, widget=forms.RadioSelect)
    line = forms.CharField(
        label=_("What holds, for everybody to read"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )


class FollowUpForm(forms.Form):
    outcome = forms.ChoiceField(
        label=_("Say how it is now"), choices=FollowUp.Outcome.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label=_("What happened?"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("When it does not work any longer: a line helps whoever looks at it next."),
    )


class PrivateForm(forms.Form):
    order_number = forms.CharField(label=_("Order number"), required=False, max_length=80)
    serial = forms.CharField(label=_("Serial number"), required=False, max_length=80)
    phone = forms.CharField(label=_("Telephone"), required=False, max_length=40)
    call_when = forms.CharField(
        label=_("When to ring you"), required=False, max_length=80, help_text=_("If you would rather talk about it.")
    )
    note = forms.CharField(
        label=_("Anything else"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})
    )
