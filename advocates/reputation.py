"""What others' judgement is worth, and the ledger it is written into (FEATURES F, RULINGS 22 and 23).

`hear(event)` is all there is to it: it runs in the transaction of the cause, for live events, replays and the rebuild
alike, so that the three can't disagree. An event becomes **entries**; what falls away is reversed by an entry of the
same day that points at it; a reversal is itself reversed when a hidden post is shown again. Totals, ranks and boards
follow from the entries (`totals.py`, `boards.py`).

Changing a rule: add a `Rule` with the next version and the moment it holds from. Entries keep the version and the
points they were written with; nothing is repriced.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from community.accounts.models import Standing, User
from community.events.models import Event
from community.moderation.models import Flag
from community.questions.models import Answer, FollowUp, Kind, Thread

from . import totals
from .models import Reason, ReputationEntry

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """What one judgement is worth, from a moment on."""

    points: int
    says: Promise
    version: int = 1
    since: datetime = BEGINNING
    exempt: bool = False  # not under the daily cap
    lifetime_cap: int | None = None
    weighs: int = 0  # as a sign of knowing the product and the topic (competence.py)
    by_owners: bool = False  # it is such a sign only from somebody who owns the product


RULES: dict[str, tuple[Rule, ...]] = {
    Reason.ACCEPTED: (Rule(15, _("Your answer is accepted, and it isn't your own question"), exempt=True, weighs=15),),
    Reason.THREAD_UP: (Rule(10, _("Your question is voted up")),),
    Reason.ANSWER_UP: (Rule(10, _("Your answer is voted up"), weighs=10, by_owners=True),),
    Reason.HELD: (Rule(5, _("Your fix still works after 3 days"), weighs=15),),
    Reason.ACCEPTING: (Rule(2, _("You accept somebody else's answer, once a question"), exempt=True),),
    Reason.HELPFUL: (Rule(2, _("Your review is found helpful")),),
    Reason.MADE: (Rule(2, _("Somebody made your recipe")),),
    Reason.WORKED: (Rule(2, _("Your tip worked for somebody")),),
    Reason.EDIT: (Rule(2, _("An edit you suggested is taken over"), lifetime_cap=1000),),
    Reason.DOWNVOTING: (Rule(-1, _("You vote an answer down")),),
    Reason.THREAD_DOWN: (Rule(-2, _("Your question is voted down")),),
    Reason.ANSWER_DOWN: (Rule(-2, _("Your answer is voted down"), weighs=-2, by_owners=True),),
    Reason.OWNER: (Rule(0, _("An owner says that your answer works for theirs"), weighs=10, by_owners=True),),
    Reason.SPAM: (Rule(-100, _("A post of yours is confirmed as spam")),),
}


def rule_for(reason: str, at: datetime) -> Rule:
    """The rule that holds for what was recorded at this moment."""
    return max((rule for rule in RULES[reason] if rule.since <= at), key=lambda rule: rule.since)


def current_rules(at: datetime) -> list[tuple[str, Rule]]:
    """For the page that explains them: highest first."""
    rules = [(str(reason), rule_for(reason, at)) for reason in RULES]
    return sorted(rules, key=lambda pair: -pair[1].points)


JUDGED = ("thread", "answer", "review", "recipe", "tip")
# A review that waits for another look, or went back to its author, is out of sight, too.
TAKEN_AWAY = (
    *(f"{noun}.{verb}" for noun in JUDGED for verb in ("hidden", "deleted")),
    "review.submitted",
    "review.refused",
)
SHOWN_AGAIN = (*(f"{noun}.restored" for noun in JUDGED), "review.published")
# What hiding took, and what of it went over to another account of the same person meanwhile.
TAKEN_FOR_NOW = (*TAKEN_AWAY, "person.merged")


class Posting:
    """The entries one event gives rise to, written and added up together."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.entries: list[ReputationEntry] = []
        # Who was locked before the event had its number (listeners.hold_everybody).
        self.people: dict[int, User] = dict(getattr(event, "held", {}))

    def hold(self, *people: int | None) -> None:
        """Lock the people concerned, in id order; after the thread, which the service holds (RULINGS 23)."""
        self.people.update(totals.hold({pk for pk in people if pk is not None} - self.people.keys()))

    def earns(self, person_id: int) -> bool:
        """Staff earn nothing: helping is their work. Nor does who has left."""
        return totals.standing_of(self.people[person_id]) not in (Standing.STAFF, Standing.ERASED)

    def credit(
        self,
        person_id: int,
        reason: str,
        target: models.Model,
        *,
        giver: int | None,
        about: totals.About = totals.NOTHING,
    ) -> None:
        if not self.earns(person_id):
            return
        rule = rule_for(reason, self.event.recorded_at)
        if rule.lifetime_cap is not None and self._so_far(person_id, reason) + rule.points > rule.lifetime_cap:
            return
        self.entries.append(
            ReputationEntry(
                person_id=person_id,
                day=self.event.occurred_at.astimezone(UTC).date(),
                points=rule.points,
                reason=reason,
                rule_version=rule.version,
                exempt=rule.exempt,
                event=self.event,
                target_type=ContentType.objects.get_for_model(target),
                target_id=target.pk,
                giver_id=giver,
                product_id=about.product,
                topic_id=about.topic,
                weighs=rule.weighs if not rule.by_owners or self.event.data.get("owner") else 0,
                at=self.event.occurred_at,
            )
        )

    def _so_far(self, person_id: int, reason: str) -> int:
        found = totals.ledger().filter(person=person_id, reason=reason).aggregate(sum=Sum("points"))
        return found["sum"] or 0

    def reverse(
        self, entry: ReputationEntry, *, points: int | None = None, person: int | None = None, giver: int | None = None
    ) -> ReputationEntry:
        """Take an entry back, or give again what a reversal took. `points` 0 makes a reversal final; `person` and
        `giver`: who they are from now on."""
        self.entries.append(
            ReputationEntry(
                person_id=person or entry.person_id,
                day=entry.day,
                points=-entry.points if points is None else points,
                reason=entry.reason,
                rule_version=entry.rule_version,
                exempt=entry.exempt,
                event=self.event,
                reverses=entry,
                takes_back=True if points == 0 else not entry.takes_back,
                target_type_id=entry.target_type_id,
                target_id=entry.target_id,
                giver_id=giver or entry.giver_id,
                product_id=entry.product_id,
                topic_id=entry.topic_id,
                weighs=-entry.weighs if points is None else 0,
                at=self.event.occurred_at,
            )
        )
        return self.entries[-1]

    def withdraw(
        self, target: models.Model, reasons: Iterable[str], *, giver: int | None, voterless: bool,
        given_to: int | None = None,
    ) -> None:  # fmt: skip
        """The judgement itself is taken back: by its giver, or one of many rows without a voter. `given_to`: the
        thread it was about before that was merged into the target."""
        about = totals.ledger().about(target)
        if given_to is not None:
            about = totals.ledger().filter(target_type=ContentType.objects.get_for_model(target), target_id=given_to)
        last = about.filter(reason__in=tuple(reasons), giver=giver).last_words()
        found: Iterable[ReputationEntry] = last
        if voterless:
            # The service travels to the moment of the row it takes back, so the entries of that moment come first.
            same = list(last.filter(takes_back=False, at=self.event.occurred_at)[:1])
            found = same or list(last.filter(takes_back=False).order_by("-at", "-id")[:1])
        for entry in found:
            self.hold(entry.person_id)
            if not entry.takes_back:
                self.reverse(entry)
            elif (entry.points or entry.weighs) and entry.event.kind in TAKEN_FOR_NOW:
                self.reverse(entry, points=0)  # hidden meanwhile: must not come back when it is shown again

    def write(self) -> None:
        """The entries so far, so that others can point at them."""
        totals.ledger().bulk_create([entry for entry in self.entries if entry.pk is None], batch_size=totals.CHUNK)

    def post(self) -> None:
        if self.entries:
            totals.add_to_ledger([entry for entry in self.entries if entry.pk is None])
            totals.settle(self.entries, self.people)


def hear(event: Event) -> None:
    """Write what an event means for reputation. Runs in its transaction."""
    posting = Posting(event)
    _HANDLERS[event.kind](posting, event)
    posting.post()


def _vote(posting: Posting, event: Event, *, reasons: tuple[str, str], about: totals.About, costs: bool) -> None:
    """A vote on somebody's post. `costs`: voting down costs the voter a point, too."""
    post: Any = event.subject
    value, previous = event.data.get("value", 0), event.data.get("previous", 0)
    voter = event.actor_id
    up, down = reasons
    posting.hold(post.author_id, voter if costs and (value < 0 or previous < 0) else None)
    if previous:
        taken = {up} if previous > 0 else {down, Reason.DOWNVOTING}
        given_to = event.data.get("given_to")
        posting.withdraw(post, taken, giver=voter, voterless=voter is None, given_to=given_to)
    if value and voter != post.author_id:
        posting.credit(post.author_id, up if value > 0 else down, post, giver=voter, about=about)
        if value < 0 and costs and voter is not None:
            posting.credit(voter, Reason.DOWNVOTING, post, giver=voter)


def _thread_voted(posting: Posting, event: Event) -> None:
    thread: Any = event.subject
    if thread.kind == Kind.IDEA:
        return  # ideas give no reputation (RULINGS 22)
    about = totals.about_of(thread)
    _vote(posting, event, reasons=(Reason.THREAD_UP, Reason.THREAD_DOWN), about=about, costs=False)


def _answer_voted(posting: Posting, event: Event) -> None:
    answer: Any = event.subject
    thread = totals.thread_then(event, answer)
    if thread.kind == Kind.IDEA:
        return
    about = totals.about_of(thread)
    _vote(posting, event, reasons=(Reason.ANSWER_UP, Reason.ANSWER_DOWN), about=about, costs=True)


def _accepted(posting: Posting, event: Event) -> None:
    answer: Any = event.subject
    thread = totals.thread_then(event, answer)
    asker = thread.author_id
    if answer.author_id == asker or thread.kind == Kind.IDEA:
        return
    posting.hold(answer.author_id, asker)
    known = set(
        totals.ledger()
        .about(answer)
        .filter(Q(reason=Reason.ACCEPTED) | Q(reason=Reason.ACCEPTING, person=asker))
        .standing()
        .values_list("reason", flat=True)
    )
    about = totals.about_of(thread)
    if Reason.ACCEPTED not in known:
        posting.credit(answer.author_id, Reason.ACCEPTED, answer, giver=event.actor_id, about=about)
    if event.data.get("accepted_by") == "asker" and Reason.ACCEPTING not in known:
        # What this asker accepted in this thread, by the log: answers that came from elsewhere were another question.
        formerly = Event.objects.filter(kind="person.merged", data__into=asker).values("subject_id")
        by_asker = Q(actor=asker) | Q(actor__in=formerly)
        accepted_here = Event.objects.filter(by_asker, kind="answer.accepted", data__thread=thread.pk)
        once = totals.ledger().filter(
            person=asker,
            reason=Reason.ACCEPTING,
            target_type=ContentType.objects.get_for_model(Answer),
            target_id__in=accepted_here.values("subject_id"),
        )
        if not once.standing().exists():
            posting.credit(asker, Reason.ACCEPTING, answer, giver=asker)


def _unaccepted(posting: Posting, event: Event) -> None:
    _take_back(posting, event.subject, (Reason.ACCEPTED, Reason.ACCEPTING))


def _followed_up(posting: Posting, event: Event) -> None:
    subject: Any = event.subject
    answer = subject.answer if isinstance(subject, FollowUp) else subject
    thread = totals.thread_then(event, answer)
    if answer.author_id == thread.author_id:
        return
    posting.hold(answer.author_id)
    if event.data.get("answer") != FollowUp.Outcome.YES:
        _take_back(posting, answer, (Reason.HELD,))
    elif not totals.ledger().about(answer).filter(reason=Reason.HELD).standing().exists():
        about = totals.about_of(thread)
        posting.credit(answer.author_id, Reason.HELD, answer, giver=event.actor_id, about=about)


def _works_for_an_owner(posting: Posting, event: Event) -> None:
    """No points, but a sign that somebody knows the product: one for each owner."""
    answer: Any = event.subject
    thread = totals.thread_then(event, answer)
    giver = event.actor_id
    posting.hold(answer.author_id)
    if giver is not None:
        posting.withdraw(answer, {Reason.OWNER}, giver=giver, voterless=False)
    if event.data.get("works") is True and thread.kind != Kind.IDEA and giver != answer.author_id:
        posting.credit(answer.author_id, Reason.OWNER, answer, giver=giver, about=totals.about_of(thread))


def _found_useful(reason: str, key: str) -> Callable[[Posting, Event], None]:
    """Helpful, made, worked: one positive judgement a person, nothing for a negative one."""

    def handle(posting: Posting, event: Event) -> None:
        post: Any = event.subject
        giver = event.actor_id
        posting.hold(post.author_id)
        if giver is not None:
            last = totals.ledger().about(post).filter(reason=reason, giver=giver).standing()
            given = last.exists()
        else:
            given = bool(event.data.get("previous"))
        wanted = event.data.get(key) is True
        if given and not wanted:
            posting.withdraw(post, {reason}, giver=giver, voterless=giver is None)
        elif wanted and not given and giver != post.author_id:
            about = totals.about_of(post)
            posting.credit(post.author_id, reason, post, giver=giver, about=about)
        elif not wanted and giver is not None:
            posting.withdraw(post, {reason}, giver=giver, voterless=False)  # taken back while hidden

    return handle


def _edit_accepted(posting: Posting, event: Event) -> None:
    """The subject is the Revision that was taken over."""
    revision: Any = event.subject
    if revision.editor_id is None or revision.editor_id == event.data.get("post_author"):
        return
    posting.hold(revision.editor_id)
    posting.credit(revision.editor_id, Reason.EDIT, revision, giver=event.actor_id)


def _flag_upheld(posting: Posting, event: Event) -> None:
    flag: Any = event.subject
    if event.data.get("reason") != Flag.Reason.SPAM or flag.target is None:
        return
    posting.hold(flag.target.author_id)
    known = totals.ledger().about(flag.target).filter(reason=Reason.SPAM).standing()
    if not known.exists():  # once a post, however many flagged it
        posting.credit(flag.target.author_id, Reason.SPAM, flag.target, giver=None)


def _flag_declined(posting: Posting, event: Event) -> None:
    """A flag that had been upheld was not right after all: its post is no spam, whatever kind it is."""
    target: Any = event.subject.target
    if event.data.get("was") == Flag.State.UPHELD and target is not None:
        _reverse_all(posting, totals.ledger().about(target).filter(reason=Reason.SPAM).standing())


def _taken_away(posting: Posting, event: Event) -> None:
    """A post nobody sees earns nothing, nor do the answers of a thread nobody sees; that it was spam stays."""
    post: Any = event.subject
    entries = [*totals.ledger().about(post).exclude(reason=Reason.SPAM).standing()]
    if isinstance(post, Thread):
        entries += _about_answers(totals.answers_of(post)).exclude(reason=Reason.SPAM).standing()
    _reverse_all(posting, entries)


def _shown_again(posting: Posting, event: Event) -> None:
    """What hiding took is given again, and it was no spam after all. An answer needs its thread to be seen."""
    post: Any = event.subject
    about = totals.ledger().about(post)
    again: list[ReputationEntry] = [*about.filter(reason=Reason.SPAM).standing()]
    if not (isinstance(post, Answer) and totals.out_of_sight(Thread, [post.thread_id])):
        again += _taken_by_hiding(about)
    if isinstance(post, Thread):
        answers = totals.answers_of(post)
        again += _taken_by_hiding(_about_answers(sorted({*answers} - totals.out_of_sight(Answer, answers))))
    _reverse_all(posting, again)


def _about_answers(ids: list[int]) -> Any:
    return (
        totals.ledger().filter(target_type=ContentType.objects.get_for_model(Answer), target_id__in=ids).order_by("pk")
    )


def _taken_by_hiding(entries: Any) -> Any:
    return entries.last_words().filter(takes_back=True, event__kind__in=TAKEN_FOR_NOW).exclude(points=0, weighs=0)


def _take_back(posting: Posting, target: Any, reasons: Iterable[str]) -> None:
    found = totals.ledger().about(target).filter(reason__in=tuple(reasons)).last_words().select_related("event")
    chosen = list(found)
    posting.hold(*(entry.person_id for entry in chosen))
    for entry in chosen:
        if not entry.takes_back:
            posting.reverse(entry)
        elif (entry.points or entry.weighs) and entry.event.kind in TAKEN_FOR_NOW:
            posting.reverse(entry, points=0)


def _reverse_all(posting: Posting, entries: Iterable[ReputationEntry]) -> None:
    chosen = list(entries)
    posting.hold(*(entry.person_id for entry in chosen))
    for entry in chosen:
        posting.reverse(entry)


def _left(posting: Posting, event: Event) -> None:
    """Whoever has left has earned nothing here, and nothing comes back to them. What they gave others stands, as far
    as it stands: judgements that went along were taken back before, each by an event of its own."""
    person = event.subject_id
    posting.hold(person)
    _end_chains(posting, totals.ledger().filter(person=person).last_words().select_related("event"))


def _end_chains(posting: Posting, entries: Iterable[ReputationEntry]) -> None:
    for entry in entries:
        if not entry.takes_back:
            posting.reverse(entry)
        elif (entry.points or entry.weighs) and entry.event.kind in TAKEN_FOR_NOW:
            posting.reverse(entry, points=0)


# Which are worth something only from somebody else.
FROM_OTHERS = (Reason.ACCEPTED, Reason.ACCEPTING, Reason.HELD, Reason.EDIT)


def _joined(posting: Posting, event: Event) -> None:
    """Two accounts of one person became one: what one of them earned and gave is the other's from now on.

    Each chain that counts goes over: its end is reversed, and given again to who they are now, on the same day. A
    chain that hiding took goes over as taken. What was earned from the other account ends for good. Votes of one for
    the other, and double ones, were taken out before, each by an event of its own.
    """
    gone, kept = event.subject_id, event.data["into"]
    who = {gone: kept}
    concerned = Q(person=gone) | Q(giver=gone) | Q(person=kept, reason__in=FROM_OTHERS)
    ends = list(totals.ledger().filter(concerned).last_words().select_related("event").order_by("pk"))
    posting.hold(gone, kept, *(entry.person_id for entry in ends))
    own = _own_answers({entry.target_id for entry in ends if entry.reason in FROM_OTHERS[:3]})
    over: list[tuple[ReputationEntry, ReputationEntry | None]] = []  # the step taken now, and whose chain goes on
    for entry in ends:
        person, giver = who.get(entry.person_id, entry.person_id), who.get(entry.giver_id, entry.giver_id)
        to_oneself = entry.target_id in own if entry.reason in FROM_OTHERS[:3] else person == giver
        standing = not entry.takes_back
        for_now = not standing and (entry.points or entry.weighs) and entry.event.kind in TAKEN_FOR_NOW
        if entry.reason in FROM_OTHERS and to_oneself:
            if standing:
                over.append((posting.reverse(entry), None))
            elif for_now:
                posting.reverse(entry, points=0)
        elif (person, giver) != (entry.person_id, entry.giver_id):
            if standing:
                over.append((posting.reverse(entry), entry))
            elif for_now:
                over.append((posting.reverse(entry, person=person, giver=giver), entry))
    posting.write()
    for step, chain in over:
        if chain is None:
            posting.reverse(step, points=0)
        else:
            person, giver = who.get(chain.person_id, chain.person_id), who.get(chain.giver_id, chain.giver_id)
            posting.reverse(step, person=person, giver=giver)


def judged_by(person: int) -> set[int]:
    """Whom somebody's judgement gave points, ever."""
    return set(totals.ledger().filter(giver=person).order_by().values_list("person", flat=True).distinct())


def _own_answers(ids: set[int]) -> set[int]:
    """Which of these answers stand under a question of their own author."""
    answers = Answer._base_manager.filter(pk__in=ids).select_related("thread")
    return {answer.pk for answer in answers if totals.author_of(answer) == totals.author_of(answer.thread)}


_HANDLERS: dict[str, Callable[[Posting, Event], None]] = {
    "thread.voted": _thread_voted,
    "answer.voted": _answer_voted,
    "answer.accepted": _accepted,
    "answer.unaccepted": _unaccepted,
    "answer.works_for_mine": _works_for_an_owner,
    "follow_up.answered": _followed_up,
    "review.found_helpful": _found_useful(Reason.HELPFUL, "helpful"),
    "recipe.made": _found_useful(Reason.MADE, "on"),
    "tip.worked": _found_useful(Reason.WORKED, "worked"),
    "edit.accepted": _edit_accepted,
    "flag.upheld": _flag_upheld,
    "flag.declined": _flag_declined,
    "person.erased": _left,
    "person.merged": _joined,
    **dict.fromkeys(TAKEN_AWAY, _taken_away),
    **dict.fromkeys(SHOWN_AGAIN, _shown_again),
}
HEARD = tuple(_HANDLERS)


_ABOUT_PEOPLE = ("person.erased", "person.merged")


def people_of(event: Event) -> set[int]:
    """Whose lines an event can take back or give again, beside the people it names: they are locked with those, in one
    go. A post that is hidden gives those their point back who voted it down."""
    subject: Any = event.subject
    if event.kind in ("flag.upheld", "flag.declined"):
        return {subject.target.author_id} if subject.target is not None else set()
    if event.kind in _ABOUT_PEOPLE:
        into = event.data.get("into")
        lines = totals.ledger().filter(Q(person=subject.pk) | Q(giver=subject.pk) | Q(person=into or subject.pk))
        named = {subject.pk, into} - {None}
    elif event.kind in (*TAKEN_AWAY, *SHOWN_AGAIN, "answer.unaccepted"):
        lines, named = totals.ledger().about(subject), set()
        if isinstance(subject, Thread):
            lines |= _about_answers(totals.answers_of(subject))
    else:
        return set()
    return {*named, *lines.order_by().values_list("person", flat=True).distinct()}
