"""Badges: rules as data, judged on what stands now.

A rule counts **standing facts**: votes that were not undone, on posts that are still shown. So a badge is a function
of the rows: when its ground falls away it is taken back, a rebuild gives the same, and nobody misses one for having
been early. The events only say when to look again, and at whom.

The language (demo/badges.yaml explains it to people):

    event        kind of event that makes us look again; also names what is counted (SOURCES below)
    to           author: of the thing judged; actor: who did it
    count        things: different posts; people: different others; events: everything
    when         [field, operator, value]s that must all hold; is, is not, >=, >, <=, <
    threshold    how many
    window_days  within how many days, or null
    people       optional: who the different people are, when not those who judged: author of a thread

Kinds of rooms above this one have no rows here: the log itself is counted then, with the person named by `author`
(or `actor`) in the event's data.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Count, Exists, ExpressionWrapper, F, FloatField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, Coalesce, Length, NullIf
from django.utils.translation import gettext as _

from community.accounts.models import Standing, User
from community.core import clock
from community.core.models import Vote
from community.events.kinds import KINDS
from community.events.log import record
from community.events.models import Event
from community.moderation.models import Flag
from community.questions.models import Answer, AnswerVote, FollowUp, Kind, MeToo, Thread, ThreadVote, WorksForMine
from community.sharing.models import Made, Worked
from products.models import Ownership
from reviews.models import Chapter, HelpfulVote

from . import totals
from .models import Award, Badge

BY_HAND = "badge.given_by_hand"
MOST_BY_HAND, SHORTEST_REASON = 50, 20
OPERATORS = ("is", "is not", ">=", ">", "<=", "<")
VISIBLE_THREAD = Q(target__visibility="visible")
VISIBLE_ANSWER = Q(target__visibility="visible", target__thread__visibility="visible")


@dataclass(frozen=True)
class Source:
    """Where the facts behind a kind of event stand, as paths from one row of `model`."""

    model: type[models.Model]
    author: str
    actor: str
    thing: str
    at: str
    standing: Q
    fields: dict[str, Any]
    per: dict[str, str] = field(default_factory=dict)
    # Over everything somebody has, not row by row: name to aggregate.
    sums: dict[str, Callable[[], Any]] = field(default_factory=dict)


def _events_about(kind: str, path: str) -> QuerySet[Event]:
    """Events of a kind about the thread a row leads to."""
    return Event.objects.filter(
        kind=kind, subject_type__app_label="questions", subject_type__model="thread", subject_id=OuterRef(path)
    )


def _count_of(kind: str, path: str) -> Any:
    found = _events_about(kind, path).order_by().values("subject_id").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(found), 0)


def _ratio(part: str, *rest: str) -> Any:
    whole = sum((F(name) for name in rest), F(part))
    return Cast(F(part), FloatField()) / NullIf(Cast(whole, FloatField()), 0.0)


def _earlier_thread() -> Any:
    earlier = Thread._base_manager.filter(author=OuterRef("target__thread__author"), pk__lt=OuterRef("target__thread"))
    return ~Exists(earlier)


def _corrected() -> Any:
    """The answer was edited after its thread went to re-check, and this owner spoke after the edit."""
    doubted = Event.objects.filter(
        kind="thread.recheck_opened", subject_type__model="thread", subject_id=OuterRef(OuterRef("target__thread"))
    ).filter(occurred_at__lte=OuterRef("occurred_at"))
    edited = Event.objects.filter(
        kind="answer.edited",
        subject_type__model="answer",
        subject_id=OuterRef("target"),
        occurred_at__lte=OuterRef("created_at"),
    )
    return Exists(edited.filter(Exists(doubted)))


_THREAD = {
    "thread.kind": "target__kind",
    "thread.score": "target__score",
    "thread.me_too_count": "target__me_too_count",
    "thread.product": "target__product__slug",
}
_ANSWER = {
    "answer.score": "target__score",
    "thread.kind": "target__thread__kind",
    "thread.product": "target__thread__product__slug",
    "answer.accepted": ExpressionWrapper(Q(target__accepted_at__isnull=False), output_field=models.BooleanField()),
    "thread.is_first_of_author": _earlier_thread(),
}
_NOT_ONES_OWN = ~Q(voter=F("target__author")) | Q(voter__isnull=True)

SOURCES: dict[str, Source] = {
    "thread.voted": Source(
        ThreadVote,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & _NOT_ONES_OWN,
        {"vote.value": "value", **_THREAD},
        {"thread": "target"},
    ),
    "thread.me_too": Source(
        MeToo,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & _NOT_ONES_OWN,
        _THREAD,
        {"thread": "target"},
    ),
    "thread.solved": Source(
        Thread,
        "author",
        "author",
        "pk",
        "solved_at",
        Q(visibility="visible", solved_at__isnull=False) & ~Q(leading_solution__author=F("author")),
        {
            "thread.kind": "kind",
            "thread.score": "score",
            "thread.needs_info_count": _count_of("thread.needs_info", "pk"),
        },
        {"thread": "pk"},
    ),
    "idea.status_changed": Source(
        Thread,
        "author",
        "author",
        "pk",
        "active_at",
        Q(visibility="visible", kind=Kind.IDEA),
        {"status": "idea_status", "thread.score": "score"},
        {"thread": "pk"},
    ),
    "answer.voted": Source(
        AnswerVote,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_ANSWER & _NOT_ONES_OWN,
        {"vote.value": "value", **_ANSWER},
        {"answer": "target", "thread": "target__thread"},
    ),
    "answer.accepted": Source(
        Answer,
        "author",
        "thread__author",
        "pk",
        "accepted_at",
        # Who accepts their own answer solved it for themselves; that is nobody's judgement.
        Q(visibility="visible", thread__visibility="visible", accepted_at__isnull=False)
        & ~Q(author=F("thread__author")),
        {
            "asker": "thread__author",
            "accepted_by": models.Case(
                models.When(accepted_by=F("thread__author"), then=models.Value("asker")), default=models.Value("staff")
            ),
            "thread.kind": "thread__kind",
            "thread.age_days_at_answer": ExpressionWrapper(
                F("created_at") - F("thread__created_at"), output_field=models.DurationField()
            ),
            "thread.reopened_count": _count_of("thread.reopened", "thread"),
            "answer.posted_after_reopening": Exists(
                _events_about("thread.reopened", "thread").filter(occurred_at__lte=OuterRef("created_at"))
            ),
        },
        {"answer": "pk", "thread": "thread"},
        {"distinct_askers": lambda: Count("thread__author", distinct=True)},
    ),
    "follow_up.answered": Source(
        FollowUp,
        "answer__author",
        "answer__thread__author",
        "answer",
        "answered_at",
        Q(answer__visibility="visible", answer__thread__visibility="visible")
        & ~Q(answer__author=F("answer__thread__author")),
        {"follow_up.answer": "outcome", "thread.kind": "answer__thread__kind"},
        {"answer": "answer", "thread": "answer__thread"},
    ),
    "answer.works_for_mine": Source(
        WorksForMine,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_ANSWER & _NOT_ONES_OWN,
        {
            "works": "works",
            # A row without a voter was taken over as a tally of owners.
            "owns_product": ExpressionWrapper(
                Q(voter__isnull=True)
                | Exists(
                    Ownership.objects.filter(owner=OuterRef("voter"), product=OuterRef("target__thread__product"))
                ),
                output_field=models.BooleanField(),
            ),
            "answer.corrected_after_recheck": _corrected(),
            **_ANSWER,
        },
        {"answer": "target", "thread": "target__thread"},
    ),
    "review.found_helpful": Source(
        HelpfulVote,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & Q(helpful=True) & _NOT_ONES_OWN,
        {
            "helpful": "helpful",
            "helpful_share": _ratio("target__helpful_yes", "target__helpful_no"),
            "review.has_good_and_better": ExpressionWrapper(
                ~Q(target__did_well="") & ~Q(target__could_be_better=""), output_field=models.BooleanField()
            ),
            "review.helpful_count": "target__helpful_yes",
        },
        {"review": "target"},
    ),
    "review.chapter_added": Source(
        Chapter,
        "review__author",
        "review__author",
        "review",
        "created_at",
        Q(review__visibility="visible"),
        {"chapter.months_owned": "months_owned", "review.helpful_count": "review__helpful_yes"},
        {"review": "review"},
    ),
    "recipe.made": Source(
        Made,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & _NOT_ONES_OWN,
        {
            "recipe.mean_stars": Cast(F("target__stars_sum"), FloatField())
            / NullIf(Cast(F("target__stars_count"), FloatField()), 0.0),
            "recipe.is_remix": ExpressionWrapper(Q(target__remix_of__isnull=False), output_field=models.BooleanField()),
            "stars": "stars",
            "note.length": Length("note"),
        },
        {"recipe": "target"},
    ),
    "tip.worked": Source(
        Worked,
        "target__author",
        "voter",
        "target",
        "created_at",
        VISIBLE_THREAD & Q(worked=True) & _NOT_ONES_OWN,
        {"worked": "worked", "worked_share": _ratio("target__worked_yes", "target__worked_no")},
        {"tip": "target"},
    ),
    "flag.upheld": Source(
        Flag,
        "reporter",
        "reporter",
        "pk",
        "decided_at",
        Q(state=Flag.State.UPHELD),
        {"reason": "reason"},
    ),
}

# What else can make or break the ground of a source. The value says which sources to look at again.
_OF_AN_ANSWER = ("answer.voted", "answer.accepted", "follow_up.answered", "answer.works_for_mine")
RELATED: dict[str, tuple[str, ...]] = {
    "answer.unaccepted": ("answer.accepted", "answer.works_for_mine"),
    "answer.accepted": ("answer.works_for_mine",),
    "answer.edited": ("answer.works_for_mine",),
    "thread.reopened": ("thread.solved", "answer.accepted"),
    "thread.needs_info": ("thread.solved",),
    "thread.solved_another_way": ("thread.solved",),
    "ownership.added": ("answer.works_for_mine",),
    "ownership.removed": ("answer.works_for_mine",),
    "flag.declined": ("flag.upheld",),
    **{f"answer.{verb}": (*_OF_AN_ANSWER, "thread.solved") for verb in ("hidden", "restored", "deleted")},
    **{
        f"thread.{verb}": ("thread.voted", "thread.me_too", "thread.solved", "idea.status_changed", *_OF_AN_ANSWER)
        for verb in ("hidden", "restored", "deleted", "merged")
    },
    **{
        f"review.{verb}": ("review.found_helpful", "review.chapter_added")
        for verb in ("hidden", "restored", "deleted", "edited")
    },
    "review.found_helpful": ("review.chapter_added",),
    **dict.fromkeys(
        ("review.submitted", "review.published", "review.refused"), ("review.found_helpful", "review.chapter_added")
    ),
    **{f"recipe.{verb}": ("recipe.made",) for verb in ("hidden", "restored", "deleted")},
    **{f"tip.{verb}": ("tip.worked",) for verb in ("hidden", "restored", "deleted")},
}
# Everything somebody could earn a badge by. Kinds about the badges themselves, or about work behind the counter, never.
LATER_ROOMS = ("help_article.published", "incident.opened", "edit.accepted")
HEARD = tuple(sorted({*SOURCES, *RELATED, *LATER_ROOMS}))


# The language


def check_award(award: Any, *, awarded: str, per: str, by_hand: bool = False) -> None:
    """Raise ValidationError at `award` when a rule says something that can't be judged."""
    problems: list[str] = []
    if not isinstance(award, dict):
        raise ValidationError({"award": _("A rule is an object with event, to, count, when and threshold.")})
    kind = award.get("event")
    if kind not in KINDS:
        problems.append(_("There is no event “%(kind)s”.") % {"kind": kind})
    if award.get("to") not in ("author", "actor"):
        problems.append(_("“to” is author or actor."))
    if award.get("count") not in ("things", "people", "events"):
        problems.append(_("“count” is things, people or events."))
    threshold = award.get("threshold")
    if not isinstance(threshold, int) or isinstance(threshold, bool) or threshold < 1:
        problems.append(_("“threshold” is a whole number from 1."))
    window = award.get("window_days")
    if window is not None and (not isinstance(window, int) or isinstance(window, bool) or window < 1):
        problems.append(_("“window_days” is a number of days, or null."))
    if unknown := set(award) - {"event", "to", "count", "when", "threshold", "window_days", "people"}:
        problems.append(_("Unknown: %(words)s.") % {"words": ", ".join(sorted(map(str, unknown)))})
    source = SOURCES.get(str(kind))
    conditions = award.get("when", [])
    if not isinstance(conditions, list):
        conditions = []
        problems.append(_("“when” is a list."))
    for condition in conditions:
        if not isinstance(condition, list) or len(condition) != 3 or condition[1] not in OPERATORS:
            problems.append(
                _("A condition is [field, operator, value]; operators: %(all)s.") % {"all": ", ".join(OPERATORS)}
            )
        elif source is not None and condition[0] not in source.fields and condition[0] not in _sums_of(source):
            problems.append(
                _("“%(field)s” is not known of %(kind)s. There is: %(all)s.")
                % {
                    "field": condition[0],
                    "kind": kind,
                    "all": ", ".join(sorted({*source.fields, *_sums_of(source)})),
                }
            )
    if awarded == Badge.Awarded.MANY and not by_hand and source is not None and per not in source.per:
        problems.append(_("For each what? %(all)s.") % {"all": ", ".join(sorted(source.per)) or "-"})
    people = award.get("people")
    if people is not None and (source is None or people not in _people_paths(source)):
        problems.append(_("“people” is not known of %(kind)s.") % {"kind": kind})
    if problems:
        raise ValidationError({"award": problems})


def _sums_of(source: Source) -> set[str]:
    return {*source.sums, *({"failed_share"} if source.model is FollowUp else set())}


def _people_paths(source: Source) -> dict[str, str]:
    paths = {"actor": source.actor, "author": source.author}
    if "thread" in source.per:
        path = source.per["thread"]
        paths["thread.author"] = "author" if path == "pk" else f"{path}__author"
    return paths


def _signature(badge: Badge) -> tuple[Any, ...]:
    """Badges that count the same share one query: five, twenty-five and a hundred answers."""
    rule = badge.award
    return (
        rule["event"],
        rule["to"],
        rule["count"],
        repr(rule.get("when", [])),
        rule.get("window_days"),
        rule.get("people"),
        badge.per if badge.awarded == Badge.Awarded.MANY else "",
    )


# Judging

Ground = tuple[int, str]  # person, for which thing ("" when once)
AWARDABLE = ~Q(standing__in=(Standing.STAFF, Standing.ERASED))


def grounds(badges: list[Badge], people: Iterable[int] | None = None) -> dict[Ground, tuple[int, datetime]]:
    """Who has grounds for badges that count the same: how many, and when the last of them came.

    Only those with enough for the least of the badges. `people` narrows it down.
    """
    badge = badges[0]
    rule = badge.award
    least = min(one.award["threshold"] for one in badges)
    chosen = None if people is None else list(people)
    source = SOURCES.get(rule["event"])
    if source is None:
        return _grounds_in_log(badge, least, chosen)
    person = getattr(source, rule["to"])
    rows = source.model._base_manager.filter(source.standing)
    if chosen is not None:
        rows = rows.filter(**{f"{person}__in": chosen})
    rows = rows.filter(**{f"{person}__isnull": False}).exclude(
        **{f"{person}__standing__in": (Standing.STAFF, Standing.ERASED)}
    )
    having = Q()
    sums: dict[str, Any] = {}
    failed = None
    for number, (name, operator, value) in enumerate(rule.get("when", [])):
        if name == "failed_share":
            failed = (operator, value)
        elif name in source.sums:
            sums[f"sum{number}"] = source.sums[name]()
            having &= _holds(f"sum{number}", operator, value)
        else:
            path = source.fields[name]
            if not isinstance(path, str):
                rows = rows.alias(**{f"field{number}": path})
                path = f"field{number}"
            rows = rows.filter(_holds(path, operator, _meaning(name, value, source)))
    keys = {"person_key": F(person)}
    if badge.awarded == Badge.Awarded.MANY:
        keys["thing_key"] = F(source.per[badge.per])
    if rule.get("window_days"):
        return _within_days(rows.annotate(**keys), rule, source, least)
    found = (
        rows.order_by()
        .annotate(**keys)
        .values(*keys)
        .annotate(how_many=_counter(rule, source), latest=Max(source.at), **sums)
        .filter(having, how_many__gte=least)
    )
    result = {(row["person_key"], str(row.get("thing_key", ""))): (row["how_many"], row["latest"]) for row in found}
    return _few_failed(result, *failed) if failed else result


def _within_days(
    rows: QuerySet, rule: dict[str, Any], source: Source, least: int
) -> dict[Ground, tuple[int, datetime]]:
    """Enough of them within some days of each other, whenever that was."""
    what = {"things": source.thing, "events": "pk"}.get(
        rule["count"], source.actor if rule["to"] == "author" else source.author
    )
    span = timedelta(days=rule["window_days"])
    seen: dict[Ground, list[tuple[datetime, Any]]] = defaultdict(list)
    for row in rows.order_by(source.at, "pk").values(
        "pk",
        "person_key",
        *(["thing_key"] if "thing_key" in rows.query.annotations else []),
        at_key=F(source.at),
        what_key=F(what),
    ):
        counted = row["what_key"] if row["what_key"] is not None else f"row {row['pk']}"
        seen[row["person_key"], str(row.get("thing_key", ""))].append((row["at_key"], counted))
    result: dict[Ground, tuple[int, datetime]] = {}
    for ground, moments in seen.items():
        best, latest, first = 0, moments[0][0], 0
        for last, (at, _counted) in enumerate(moments):
            while moments[first][0] < at - span:
                first += 1
            number = len({counted for _at, counted in moments[first : last + 1]})
            if number > best:
                best, latest = number, at
        if best >= least:
            result[ground] = (best, latest)
    return result


def _few_failed(found: dict[Ground, tuple[int, datetime]], operator: str, most: float) -> dict:
    """Keep those whose fixes held often enough, over everything that was ever said about them."""
    rows = (
        FollowUp.objects.filter(answer__author__in={person for person, _thing in found})
        .order_by()
        .values("answer__author")
        .annotate(all=Count("pk"), failed=Count("pk", filter=~Q(outcome=FollowUp.Outcome.YES)))
    )
    shares = {row["answer__author"]: row["failed"] / row["all"] for row in rows}
    return {ground: what for ground, what in found.items() if _compare(shares.get(ground[0], 0.0), operator, most)}


def _grounds_in_log(badge: Badge, least: int, people: list[int] | None) -> dict[Ground, tuple[int, datetime]]:
    """Kinds of rooms above this one: the log says whom it is about."""
    rule = badge.award
    seen: dict[Ground, dict[Any, datetime]] = defaultdict(dict)
    for event in Event.objects.filter(kind=rule["event"]).order_by("id").iterator():
        for person in people_in_log(event, rule["to"]):
            if people is not None and person not in people:
                continue
            facts = {**event.data, "author": person, "actor": event.actor_id}
            if all(
                _compare(
                    facts.get(name.rpartition(".")[2]),
                    operator,
                    facts.get(value, value) if value in ("author", "actor") else value,
                )
                for name, operator, value in rule.get("when", [])
            ):
                thing = str(event.subject_id) if badge.awarded == Badge.Awarded.MANY else ""
                what = {"things": event.subject_id, "people": event.actor_id, "events": event.pk}[rule["count"]]
                seen[person, thing][what] = event.occurred_at
    allowed = set(User.objects.filter(AWARDABLE, pk__in={person for person, _ in seen}).values_list("pk", flat=True))
    return {
        ground: (len(things), max(things.values()))
        for ground, things in seen.items()
        if len(things) >= least and ground[0] in allowed
    }


def people_in_log(event: Event, to: str) -> list[int]:
    if to == "actor":
        return [event.actor_id] if event.actor_id else []
    named = event.data.get("authors") or [event.data.get("author")]
    return [person for person in named if isinstance(person, int)]


def _compare(have: Any, operator: str, value: Any) -> bool:
    if operator == "is":
        return have == value
    if operator == "is not":
        return have != value
    if have is None:
        return False
    return {">=": have >= value, ">": have > value, "<=": have <= value, "<": have < value}[operator]


def _meaning(name: str, value: Any, source: Source) -> Any:
    """People are compared with people ([asker, is not, author]), ages with days."""
    if value == "author":
        return F(source.author)
    if value == "actor":
        return F(source.actor)
    return timedelta(days=value) if "_days_" in name else value


def _holds(path: str, operator: str, value: Any) -> Q:
    if operator == "is":
        return Q(**{path: value})
    if operator == "is not":
        return ~Q(**{path: value})
    lookup = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}[operator]
    return Q(**{f"{path}__{lookup}": value})


def _counter(rule: dict[str, Any], source: Source) -> Any:
    if rule["count"] == "things":
        return Count(source.thing, distinct=True)
    if rule["count"] == "events":
        return Count("pk")
    if rule.get("people"):
        return Count(_people_paths(source)[rule["people"]], distinct=True)
    # The different others: who judged, or, of what one did oneself, whose things they were.
    others = source.actor if rule["to"] == "author" else source.author
    if rule["to"] == "actor" or not issubclass(source.model, Vote):
        return Count(others, distinct=True)
    # Rows without a voter are a person each: that is what a tally counted.
    return Count(others, distinct=True) + Count("pk", filter=Q(**{f"{others}__isnull": True}))


# Giving and taking


def look(badges: Iterable[Badge], people: Iterable[int] | None = None, *, gains_only: bool = False) -> tuple[int, int]:
    """Give what is earned and take what has lost its ground; returns how many of each.

    `gains_only`: what happened can only add, so badges somebody has once and for all need no second look.
    """
    chosen = None if people is None else set(people)
    groups: dict[tuple[Any, ...], list[Badge]] = defaultdict(list)
    for badge in badges:
        if not badge.by_hand:
            groups[_signature(badge)].append(badge)
    if not groups or chosen == set():
        return 0, 0
    held = Award.objects.filter(badge__in=[badge for group in groups.values() for badge in group])
    if chosen is not None:
        held = held.filter(person__in=chosen)
    have: dict[int, set[Ground]] = defaultdict(set)
    for badge_id, person_id, per_key in held.values_list("badge", "person", "per_key"):
        have[badge_id].add((person_id, per_key))
    given = taken = 0
    for group in groups.values():
        if gains_only and chosen is not None and group[0].awarded == Badge.Awarded.ONCE:
            group = [badge for badge in group if {(pk, "") for pk in chosen} - have[badge.pk]]
            if not group:
                continue
        found = grounds(group, chosen)
        for badge in group:
            earned = {ground: at for ground, (n, at) in found.items() if n >= badge.award["threshold"]}
            if badge.retired_at is None:
                for ground in sorted(earned.keys() - have[badge.pk]):
                    given += _give(badge, ground, earned[ground])
            for ground in sorted(have[badge.pk] - earned.keys()):
                taken += _take(badge, ground)
    return given, taken


def _give(badge: Badge, ground: Ground, earned_at: datetime) -> int:
    person_id, per_key = ground
    # In a batch the look comes late: the badge was earned when its last ground came.
    at = earned_at if totals.batch() is not None else clock.now()
    with transaction.atomic():
        person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person_id)
        _award, new = Award.objects.get_or_create(badge=badge, person=person, per_key=per_key, defaults={"at": at})
        if new:
            copy_counts(person)
            with clock.travel(at):
                record("badge.awarded", actor=person, subject=person, badge=badge.slug, per=per_key)
    return int(new)


def _take(badge: Badge, ground: Ground) -> int:
    person_id, per_key = ground
    with transaction.atomic():
        person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person_id)
        gone, _details = Award.objects.filter(badge=badge, person=person, per_key=per_key).delete()
        if gone:
            copy_counts(person)
            record("badge.revoked", actor=None, subject=person, badge=badge.slug, per=per_key)
    return int(bool(gone))


def counts_of(person_id: int) -> dict[str, int]:
    rows = Award.objects.filter(person=person_id).order_by().values("badge__level").annotate(n=Count("pk"))
    return {row["badge__level"]: row["n"] for row in rows}


def copy_counts(person: User) -> None:
    """Write how many badges of each level somebody has to where bylines read it."""
    person.badge_counts = counts_of(person.pk)
    User.objects.filter(pk=person.pk).update(badge_counts=person.badge_counts)


def recount_all() -> None:
    """The copies of how many badges people have, anew for all."""
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for row in Award.objects.order_by().values("person", "badge__level").annotate(n=Count("pk")):
        counts[row["person"]][row["badge__level"]] = row["n"]
    for person in User.objects.filter(Q(pk__in=list(counts)) | ~Q(badge_counts={})).iterator():
        if person.badge_counts != counts.get(person.pk, {}):
            User.objects.filter(pk=person.pk).update(badge_counts=counts.get(person.pk, {}))


def award_badges(people: Iterable[int] | None = None, badges: Iterable[Badge] | None = None) -> tuple[int, int]:
    """Judge all badges (or these) over the whole history. Returns how many were given and taken."""
    return look(Badge.objects.all() if badges is None else badges, people)


# Listening


def hear(event: Event) -> None:
    """Look again at whoever an event concerns, and at the badges that it can make or break."""
    sources = (event.kind, *RELATED.get(event.kind, ()))
    running = totals.batch()
    if running is not None:
        running.jobs["badges"].update(people_of(event))
        return
    badges = list(Badge.objects.filter(event__in=sources, by_hand=False))
    if badges:
        look(badges, people_of(event), gains_only=_only_gains(event))


def _only_gains(event: Event) -> bool:
    if event.kind.endswith(".voted"):
        return event.data.get("value", 0) > 0
    return event.kind == "thread.me_too" and event.data.get("on") is True


def people_of(event: Event) -> set[int]:
    """Whose badges an event can change."""
    if event.kind in LATER_ROOMS:
        return {*people_in_log(event, "author"), *people_in_log(event, "actor")}
    subject: Any = event.subject
    found: set[int | None] = {event.actor_id}
    if isinstance(subject, Thread):
        found.add(subject.author_id)
        if event.kind.partition(".")[2] in ("hidden", "restored", "deleted", "reopened"):
            found.update(Answer._base_manager.filter(thread=subject).values_list("author", flat=True))
        if event.kind == "thread.merged":
            # Rows moved: whose posts they are about, and who cast those that fell away.
            found.add(subject.merged_into.author_id)  # type: ignore[union-attr]
            found.update(Answer._base_manager.filter(thread=subject.merged_into_id).values_list("author", flat=True))
            for name in ("votes", "votes_dropped", "me_toos", "me_toos_dropped"):
                found.update(event.data[name])
            for model in (AnswerVote, WorksForMine):
                found.update(model.objects.filter(target__in=event.data["answers"]).values_list("voter", flat=True))
    elif isinstance(subject, Answer):
        found |= {subject.author_id, subject.thread.author_id}
    elif isinstance(subject, Flag):
        found = {subject.reporter_id}
    elif isinstance(subject, Ownership):
        found = set(
            WorksForMine.objects.filter(voter=subject.owner_id, target__thread__product=subject.product_id).values_list(
                "target__author", flat=True
            )
        )
    elif isinstance(subject, Chapter | FollowUp):
        found.add(subject.review.author_id if isinstance(subject, Chapter) else subject.answer.author_id)
    else:
        found.add(getattr(subject, "author_id", None))
    return {person for person in found if person is not None}


@totals.at_end_of_batch
def _catch_up(batch: totals.Batch) -> None:
    people = sorted(batch.jobs.pop("badges", set()))
    badges = list(Badge.objects.filter(by_hand=False))
    for start in range(0, len(people), totals.CHUNK):
        look(badges, people[start : start + totals.CHUNK])
