"""Votes for a person and not for posts: serial votes and rings, found at night and decided by a moderator.

Nothing happens by itself. A finding shows who voted for whom, how often, in which time and what share of all their
votes that was; a moderator takes those votes out of the count in one step, or leaves them. Votes taken out go through
the services that cast them, so scores, points, competence and badges follow; both sides are told in neutral words, and
the step can be undone.

The numbers. Stack Exchange looks each night for serial votes and takes them back by itself, both up and down ("serial
voting was reversed", stackoverflow.com/help/serial-voting-reversed); how many make a series is kept secret there, and
moderators see voting patterns between users. Ours are open, since nobody is judged by them alone:

- **serial**: 5 votes or more for one author within 24 hours, at least half of all that the voter cast in that time;
- **share**: 8 or more in 90 days, at least 60 % of all that the voter cast (whoever votes little is left alone);
- **mutual**: 5 or more in 90 days each way, at least 40 % of the votes of both;
- **group**: three to six people linked by 4 votes or more each in a circle, at least 70 % of whose votes stay inside.

We keep neither addresses nor marks of devices of people, so none are compared.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.events.log import record
from community.moderation.permissions import why_not_moderate
from community.questions import services as questions
from community.questions.models import Answer, Thread
from community.sharing import services as sharing
from reviews import services as reviews
from reviews.models import Review

from .models import Reason, ReputationEntry, VoteFinding, VoteTakenOut

Kind, State = VoteFinding.Kind, VoteFinding.State

VOTES = (
    Reason.THREAD_UP,
    Reason.ANSWER_UP,
    Reason.THREAD_DOWN,
    Reason.ANSWER_DOWN,
    Reason.HELPFUL,
    Reason.MADE,
    Reason.WORKED,
)
WINDOW = timedelta(days=90)
DAY = timedelta(hours=24)
SERIAL, SERIAL_SHARE = 5, 0.5
SHARE, SHARE_SHARE = 8, 0.6
MUTUAL, MUTUAL_SHARE = 5, 0.4
GROUP, GROUP_SHARE, SMALLEST, LARGEST = 4, 0.7, 3, 6

Pair = tuple[int, int]  # who voted, for whom


@dataclass
class Votes:
    """All votes of one person for another in the window, oldest first; `of`: how many they cast in all."""

    at: list[datetime] = field(default_factory=list)
    of: int = 0

    @property
    def share(self) -> float:
        return len(self.at) / self.of if self.of else 0.0


@dataclass
class Usual:
    """What voting looks like in the window, to compare with."""

    voters: int
    most: dict[int, int] = field(default_factory=lambda: defaultdict(int))  # the most votes somebody gave to one person

    def alike(self, votes: int) -> int:
        """How many gave so many votes or more to one person."""
        return sum(n >= votes for n in self.most.values())


def standing_votes() -> QuerySet[ReputationEntry]:
    """Judgements that count now and whose giver is known."""
    return ReputationEntry.objects.filter(reason__in=VOTES, giver__isnull=False).exclude(giver=F("person")).standing()


# Finding


def look() -> int:
    """The nightly look. Returns how many findings are new; a finding that is open grows instead."""
    pairs, cast, usual = _pairs()
    found = [*_groups(pairs), *_mutual(pairs), *_serial(pairs, cast), *_shares(pairs)]
    new = 0
    seen: set[Pair] = set()
    for kind, linked in found:
        if linked.keys() <= seen:
            continue  # a ring says more than the pairs it is made of
        seen |= linked.keys()
        new += _note(kind, linked, usual)
    return new


def _pairs() -> tuple[dict[Pair, Votes], dict[int, list[datetime]], Usual]:
    """Votes of the window by pair, for pairs with enough of them; when each of those voters voted at all; and what is
    usual."""
    since = clock.now() - WINDOW
    votes = standing_votes().filter(at__gte=since).order_by()
    counted = votes.values("giver", "person").annotate(n=Count("pk")).filter(n__gte=GROUP)
    busy = {(giver, person): n for giver, person, n in counted.values_list("giver", "person", "n")}
    wanted = busy.keys()
    usual = Usual(votes.aggregate(n=Count("giver", distinct=True))["n"])
    for (giver, _person), n in busy.items():
        usual.most[giver] = max(usual.most[giver], n)
    cast: dict[int, list[datetime]] = defaultdict(list)
    pairs: dict[Pair, Votes] = defaultdict(Votes)
    givers = sorted({giver for giver, _person in wanted})
    for start in range(0, len(givers), 500):
        rows = votes.filter(giver__in=givers[start : start + 500]).order_by("at", "pk")
        for giver, person, at in rows.values_list("giver", "person", "at").iterator(chunk_size=2000):
            cast[giver].append(at)
            if (giver, person) in wanted:
                pairs[giver, person].at.append(at)
    for (giver, person), votes_of in list(pairs.items()):
        votes_of.of = len(cast[giver])
        votes_of.at = _unjudged(giver, person, votes_of.at)
        if len(votes_of.at) < GROUP:
            del pairs[giver, person]
    return pairs, cast, usual


def _unjudged(giver: int, person: int, at: list[datetime]) -> list[datetime]:
    """Without the votes a moderator has looked at and left."""
    left = VoteFinding.objects.filter(state__in=(State.LEFT, State.GIVEN_BACK), people=giver).filter(people=person)
    until = left.aggregate(until=Max("until"))["until"]
    return [moment for moment in at if until is None or moment > until]


def _serial(pairs: dict[Pair, Votes], cast: dict[int, list[datetime]]) -> Iterable[tuple[str, dict[Pair, Votes]]]:
    for (giver, person), votes in pairs.items():
        for first in range(len(votes.at) - SERIAL + 1):
            begin = votes.at[first]
            run = [at for at in votes.at[first:] if at < begin + DAY]
            whole = sum(begin <= at < begin + DAY for at in cast[giver])
            if len(run) >= SERIAL and len(run) >= SERIAL_SHARE * whole:
                yield Kind.SERIAL, {(giver, person): Votes(run, whole)}
                break


def _shares(pairs: dict[Pair, Votes]) -> Iterable[tuple[str, dict[Pair, Votes]]]:
    for pair, votes in pairs.items():
        if len(votes.at) >= SHARE and votes.share >= SHARE_SHARE:
            yield Kind.SHARE, {pair: votes}


def _mutual(pairs: dict[Pair, Votes]) -> Iterable[tuple[str, dict[Pair, Votes]]]:
    for (one, other), votes in pairs.items():
        back = pairs.get((other, one))
        if one > other or back is None or min(len(votes.at), len(back.at)) < MUTUAL:
            continue
        if min(votes.share, back.share) >= MUTUAL_SHARE:
            yield Kind.MUTUAL, {(one, other): votes, (other, one): back}


def _groups(pairs: dict[Pair, Votes]) -> Iterable[tuple[str, dict[Pair, Votes]]]:
    """Small sets of people each of whom can be reached from each other along votes."""
    onward: dict[int, set[int]] = defaultdict(set)
    back: dict[int, set[int]] = defaultdict(set)
    for giver, person in pairs:
        onward[giver].add(person)
        back[person].add(giver)
    done: set[int] = set()
    for start in sorted(onward):
        if start in done:
            continue
        group = _reached(start, onward) & _reached(start, back)
        done |= group
        inside = {pair: votes for pair, votes in pairs.items() if set(pair) <= group}
        cast = {giver: votes.of for (giver, _person), votes in inside.items()}
        stay = sum(len(votes.at) for votes in inside.values())
        if SMALLEST <= len(group) <= LARGEST and stay >= GROUP_SHARE * sum(cast.values()):
            yield Kind.GROUP, inside


def _reached(start: int, links: dict[int, set[int]]) -> set[int]:
    reached, waiting = {start}, [start]
    while waiting:
        for person in links.get(waiting.pop(), set()) - reached:
            reached.add(person)
            waiting.append(person)
    return reached


@transaction.atomic
def _note(kind: str, linked: dict[Pair, Votes], usual: Usual) -> bool:
    """Write a finding down, or bring the open one about the same people up to date. Returns whether it is new."""
    people = sorted({person for pair in linked for person in pair})
    directed = kind in (Kind.SERIAL, Kind.SHARE)
    names = next(iter(linked)) if directed else people
    moments = [at for votes in linked.values() for at in votes.at]
    evidence = [
        {
            "giver": giver,
            "author": person,
            "votes": len(votes.at),
            "of": votes.of,
            "share": round(100 * votes.share),
            "alike": usual.alike(len(votes.at)),
            "voters": usual.voters,
            "first": votes.at[0].isoformat(),
            "last": votes.at[-1].isoformat(),
        }
        for (giver, person), votes in sorted(linked.items())
    ]
    finding, new = VoteFinding.objects.update_or_create(
        mark=f"{kind}:{'>'.join(str(pk) for pk in names)}",
        state=State.OPEN,
        defaults={"kind": kind, "evidence": evidence, "since": min(moments), "until": max(moments)},
        create_defaults={
            "kind": kind,
            "evidence": evidence,
            "since": min(moments),
            "until": max(moments),
            "found_at": clock.now(),
        },
    )
    finding.people.set(people)
    return new


# Deciding


def entries_of(finding: VoteFinding) -> QuerySet[ReputationEntry]:
    """The votes a finding is about, as far as they still count, newest first."""
    pairs = Q(pk__in=[])
    for row in finding.evidence:
        pairs |= Q(giver=row["giver"], person=row["author"])
    found = standing_votes().filter(pairs, at__gte=finding.since, at__lte=finding.until)
    return found.select_related("giver", "person").order_by("-at", "-id")


def _reason(reason: str) -> str:
    reason = text.clean_line(reason)[:500]
    if not reason:
        raise ValidationError({"reason": _("Say why; it is kept with the decision.")})
    return reason


@retried
def take_out(finding: VoteFinding, by: User, *, reason: str) -> int:
    """Take all votes of a finding out of the count; returns how many. Both sides are told.

    Raises NotAllowed, ValidationError without a reason, Conflict when it is decided already.
    """
    require(why_not_moderate(by))
    reason = _reason(reason)
    row = locked(finding)
    if row.state != State.OPEN:
        raise Conflict(_("Somebody has decided this already."))
    entries = list(entries_of(row).prefetch_related("target").order_by("target_type", "target_id", "giver"))
    for entry in entries:
        kept = _take_one_out(entry.target, entry.giver, by)
        if kept is not None:
            VoteTakenOut.objects.get_or_create(
                finding=row,
                voter=entry.giver,
                target_type=entry.target_type,
                target_id=entry.target_id,
                defaults={"kept": kept},
            )
    _decide(row, finding, by, State.TAKEN_OUT, reason)
    count = row.votes.count()
    record("votes.taken_out", actor=by, subject=row, note=reason, people=_people(row), votes=count, kind=row.kind)
    return count


@retried
def leave(finding: VoteFinding, by: User, *, reason: str) -> None:
    """Nothing is wrong with these votes. Raises as `take_out`."""
    require(why_not_moderate(by))
    reason = _reason(reason)
    row = locked(finding)
    if row.state != State.OPEN:
        raise Conflict(_("Somebody has decided this already."))
    _decide(row, finding, by, State.LEFT, reason)


@retried
def give_back(finding: VoteFinding, by: User, *, reason: str) -> int:
    """Undo `take_out`: the votes count again from when they were cast, but where somebody has voted anew. Returns how
    many."""
    require(why_not_moderate(by))
    reason = _reason(reason)
    row = locked(finding)
    if row.state != State.TAKEN_OUT:
        raise Conflict(_("These votes were not taken out, or are back already."))
    back = 0
    for vote in row.votes.select_related("voter").prefetch_related("target").order_by("target_type", "target_id", "pk"):
        back += _give_one_back(vote.target, vote.voter, by, vote.kept)
    _decide(row, finding, by, State.GIVEN_BACK, reason)
    record("votes.given_back", actor=by, subject=row, note=reason, people=_people(row), votes=back, kind=row.kind)
    return back


def _decide(row: VoteFinding, finding: VoteFinding, by: User, state: str, reason: str) -> None:
    for one in (row, finding):
        one.state, one.decided_by, one.decided_at, one.reason = state, by, clock.now(), reason
    row.save(update_fields=["state", "decided_by", "decided_at", "reason"])


def _people(row: VoteFinding) -> list[int]:
    return list(row.people.order_by("pk").values_list("pk", flat=True))


def _take_one_out(post: Any, voter: User, by: User) -> dict[str, Any] | None:
    if isinstance(post, Thread | Answer):
        taken = questions.take_vote_out(post, voter, by)
        return {"value": taken.value, "at": taken.at.isoformat(), "owner": taken.owner} if taken else None
    if isinstance(post, Review):
        said = reviews.take_helpful_out(post, voter, by)
        return {"helpful": said[0], "at": said[1].isoformat()} if said else None
    return sharing.take_judgement_out(post, voter, by)


def _give_one_back(post: Any, voter: User, by: User, kept: dict[str, Any]) -> bool:
    if post is None or voter.is_erased or post.author_id == voter.pk:
        return False  # who voted has left, or turned out to be its author
    if isinstance(post, Thread | Answer):
        taken = questions.TakenOut(kept["value"], datetime.fromisoformat(kept["at"]), kept["owner"])
        return questions.give_vote_back(post, voter, by, taken)
    if isinstance(post, Review):
        at = datetime.fromisoformat(kept["at"])
        return reviews.give_helpful_back(post, voter, by, kept["helpful"], at)
    return sharing.give_judgement_back(post, voter, by, kept)


@dataclass
class Effect:
    """What taking the votes of a finding out does to one person. `points` is at most: a full day gives some back."""

    person: User
    votes: int
    points: int


def effects(finding: VoteFinding) -> list[Effect]:
    """What `take_out` would change for whom, by name. One query, and one for the people."""
    sums = list(entries_of(finding).order_by().values("person").annotate(n=Count("pk"), sum=Sum("points")))
    people = User.objects.in_bulk([row["person"] for row in sums])
    found = [Effect(people[row["person"]], row["n"], -row["sum"]) for row in sums]
    return sorted(found, key=lambda one: (str(one.person), one.person.pk))


def near(finding: VoteFinding) -> QuerySet[VoteFinding]:
    """Other findings about two or more of the same people: one ring is often found as several."""
    shared = Count("people", filter=Q(people__in=finding.people.all()), distinct=True)
    return VoteFinding.objects.exclude(pk=finding.pk).annotate(shared=shared).filter(shared__gte=2)


def taken(finding: VoteFinding) -> QuerySet[VoteTakenOut]:
    """The votes that were taken out, as they were."""
    return finding.votes.select_related("voter").order_by("pk")


def titled(entries: Iterable[Any]) -> list[tuple[Any, str, str]]:
    """Each vote, or vote taken out, with the title and the address of its post, for the page of evidence. A query for
    each kind of post."""
    ids: dict[int, set[int]] = defaultdict(set)
    rows = list(entries)
    for entry in rows:
        ids[entry.target_type_id].add(entry.target_id)
    posts: dict[tuple[int, int], Any] = {}
    for type_id, keys in ids.items():
        model: Any = ContentType.objects.get_for_id(type_id).model_class()
        joined = ["thread"] if model is Answer else ["product"] if model is Review else []
        found = model._base_manager.filter(pk__in=keys).select_related(*joined)
        posts |= {(type_id, post.pk): post for post in found}
    told = [(entry, posts.get((entry.target_type_id, entry.target_id))) for entry in rows]
    return [(entry, _title(post), post.get_absolute_url()) for entry, post in told if post is not None]


def _title(post: Any) -> str:
    return str(getattr(getattr(post, "thread", None), "title", "") or getattr(post, "title", "") or post)
