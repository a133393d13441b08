"""Who hears of an event, and as what kind of notice. Nobody hears of what they did themselves."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models

from community.accounts.models import Department, User
from community.accounts.roles import ROLES
from community.bridges import releases
from community.bridges.models import ReleaseNote
from community.escalation.models import Incident
from community.escalation.rotation import away_ids, with_stand_ins
from community.events.acts import is_staff
from community.events.models import Event
from community.moderation.models import Flag, Look
from community.posts.models import Comment, Follow, Revision
from community.questions.models import Answer, EditSuggestion, MeToo, Thread
from products.models import OwnerAlert
from products.shelf import alerts

from .kinds import KINDS

AT_ONCE = 5000  # ids in one query; SQLite takes some thirty thousand
Heard = dict[int, str]  # person's id -> kind of notice; the first kind given stays
_finders: dict[str, Callable[[Event], Heard]] = {}


def heard_by(*kinds: str) -> Callable[[Callable[[Event], Heard]], Callable[[Event], Heard]]:
    def register(finder: Callable[[Event], Heard]) -> Callable[[Event], Heard]:
        for kind in kinds:
            _finders[kind] = finder
        return finder

    return register


def announced_kinds() -> list[str]:
    return list(_finders)


def recipients(event: Event) -> Heard:
    """Ids of the people who hear of this event with the kind of notice, without its actor and the inactive."""
    heard = _finders[event.kind](event)
    # A badge is earned by one's own doing, and given by nobody; and an agent owns what others own, too.
    if event.kind not in ("badge.awarded", "alert.issued", "alert.widened"):
        heard.pop(event.actor_id, None)  # type: ignore[arg-type]
    ids, active, staff = sorted(heard), set(), set()
    for start in range(0, len(ids), AT_ONCE):
        asked = ids[start : start + AT_ONCE]
        for person in User.objects.active().filter(pk__in=asked).only("standing", "is_superuser"):
            active.add(person.pk)
            if is_staff(person):
                staff.add(person.pk)
    return {
        person: kind for person, kind in heard.items() if person in (staff if KINDS[kind].staff else active)
    }  # fmt: skip


def followers(things: Iterable[models.Model], levels: tuple[str, ...] = ("watching", "tracking")) -> list[int]:
    found: list[int] = []
    for thing in things:
        content_type = ContentType.objects.get_for_model(thing)
        found += Follow.objects.filter(target_type=content_type, target_id=thing.pk, level__in=levels).values_list(
            "user", flat=True
        )
    return found


def _just_said(event: Event, about: models.Model, kind: str) -> bool:
    """Whether another event of the same minute tells the same people of the same thing: never two notices for one."""
    around = (event.occurred_at - timedelta(minutes=1), event.occurred_at + timedelta(minutes=1))
    return Event.objects.about(about).filter(kind=kind, occurred_at__range=around).exists()


def _muted(thing: models.Model) -> set[int]:
    return set(followers([thing], ("muted",)))


def _add(heard: Heard, people: Iterable[int | None], kind: str, without: set[int] = frozenset()) -> None:  # type: ignore[assignment]
    for person in people:
        if person is not None and person not in without:
            heard.setdefault(person, kind)


def thread_of(subject: models.Model) -> Thread | None:
    """The thread an event is about, if it is about one."""
    if isinstance(subject, Thread):
        return subject
    if isinstance(subject, Answer):
        return subject.thread
    if isinstance(subject, EditSuggestion):
        return thread_of(subject.post)
    if isinstance(subject, (Comment, Revision)):
        return thread_of(subject.target) if subject.target is not None else None
    return None


@heard_by("thread.posted")
def _thread_posted(event: Event) -> Heard:
    thread: Thread = event.subject
    heard: Heard = {}
    _add(heard, event.data.get("mentions", ()), "mention")
    things: list[models.Model] = list(thread.tags.all())
    if thread.product_id:
        things.append(thread.product)
    _add(heard, followers(things), "new_thread", set(event.data.get("told", ())))
    return heard


@heard_by("answer.posted")
def _answer_posted(event: Event) -> Heard:
    answer: Answer = event.subject
    muted = _muted(answer.thread)
    heard: Heard = {}
    _add(heard, event.data.get("mentions", ()), "mention", muted)
    if not _given_officially(answer):
        _add(heard, [answer.thread.author_id, *followers([answer.thread])], "new_answer", muted)
    return heard


def _given_officially(answer: Answer) -> bool:
    """Posted and made official in one go: two events, and one notice, that of the official answer."""
    return (
        answer.official_at is not None
        and answer.official_by_id == answer.author_id
        and answer.official_at - answer.created_at < timedelta(minutes=1)
    )


@heard_by("comment.posted")
def _comment_posted(event: Event) -> Heard:
    comment: Comment = event.subject
    target = comment.target
    thread = thread_of(comment)
    about = thread or target
    muted = _muted(about)
    heard: Heard = {}
    _add(heard, event.data.get("mentions", ()), "mention", muted)
    _add(heard, [target.author_id], "new_comment", muted)
    earlier = Comment.objects.filter(
        target_type=comment.target_type_id, target_id=comment.target_id, visibility="visible"
    ).values_list("author", flat=True)
    _add(heard, [*earlier, *followers([about], ("watching",))], "new_comment", muted)
    return heard


@heard_by("answer.accepted")
def _answer_accepted(event: Event) -> Heard:
    answer: Answer = event.subject
    heard: Heard = {answer.author_id: "answer_accepted"}
    if event.data.get("accepted_by") == "staff":
        _add(heard, [answer.thread.author_id], "accepted_for_you")
    others = [answer.thread.author_id, *followers([answer.thread])]
    _add(heard, others, "solved", _muted(answer.thread))
    return heard


@heard_by("answer.made_official")
def _made_official(event: Event) -> Heard:
    answer: Answer = event.subject
    heard: Heard = {}
    people = [answer.thread.author_id, answer.author_id, *followers([answer.thread])]
    _add(heard, people, "official_answer", _muted(answer.thread))
    return heard


@heard_by("thread.needs_info")
def _needs_info(event: Event) -> Heard:
    return {event.subject.author_id: "needs_info"}


@heard_by("thread.reopened", "thread.closed", "thread.marked_duplicate", "thread.recheck_opened")
def _thread_state(event: Event) -> Heard:
    thread: Thread = event.subject
    heard: Heard = {}
    if event.data.get("planned"):
        return heard  # the department looks again on the day it chose; nobody has said that the answer is wrong
    _add(heard, [event.data.get("reconciler")], "reconcile")
    _add(heard, [thread.author_id], "thread_state")
    _add(heard, followers([thread]), "thread_state", _muted(thread))
    return heard


@heard_by("thread.merged", "thread.split", "thread.posts_moved")
def _merged(event: Event) -> Heard:
    """Whoever asked or followed what is gone, or wrote what moved: follows may have moved, so the event names them."""
    return dict.fromkeys(event.data["people"], "thread_state")


@heard_by("thread.recheck_settled")
def _recheck_settled(event: Event) -> Heard:
    """Only that it holds: what does not hold is opened again, which is told by itself."""
    thread: Thread = event.subject
    heard: Heard = {}
    if event.data.get("holds") and event.data.get("outcome") != "accepted_anew" and not _was_planned(event):
        _add(heard, [thread.author_id, *followers([thread])], "thread_state", _muted(thread))
    return heard


def _was_planned(settled: Event) -> bool:
    """Whether the look that is over was the department's own, of which nobody was told."""
    opened = Event.objects.about(settled.subject).filter(kind="thread.recheck_opened", pk__lt=settled.pk)
    last = opened.order_by("-pk").first()
    return last is not None and bool(last.data.get("planned"))


@heard_by("thread.asker_reminded")
def _reminded(event: Event) -> Heard:
    thread: Thread = event.subject
    heard: Heard = {}
    _add(heard, [thread.author_id], "reminder", _muted(thread))
    return heard


@heard_by("follow_up.asked")
def _asked_whether_it_held(event: Event) -> Heard:
    thread: Thread = event.subject.thread
    heard: Heard = {}
    _add(heard, [thread.author_id], "follow_up", _muted(thread))
    return heard


@heard_by("idea.status_changed")
def _idea_status(event: Event) -> Heard:
    idea: Thread = event.subject
    if event.data.get("release"):  # whoever asked hears of the note, and of this not besides
        told = releases.who_asked(ReleaseNote.objects.get(pk=event.data["release"]))
        rest: Heard = {}
        _add(rest, followers([idea]), "idea_status", _muted(idea) | told.keys())
        return rest
    heard: Heard = {idea.author_id: "own_idea"}
    voters = idea.votes.filter(voter__isnull=False, value=1).values_list("voter", flat=True)
    _add(heard, [*voters, *followers([idea])], "idea_status", _muted(idea))
    return heard


@heard_by("release.published")
def _release(event: Event) -> Heard:
    return dict.fromkeys(releases.who_asked(event.subject), "release")


@heard_by("release.help_asked")
def _release_helped(event: Event) -> Heard:
    """Everybody who asked for it, but for those who have said it already."""
    said = set(event.subject.helps.filter(voter__isnull=False).values_list("voter", flat=True))
    return dict.fromkeys(releases.who_asked(event.subject).keys() - said, "release_helped")


@heard_by("review.published", "review.refused", "review.answered", "bridge.offered")
def _review(event: Event) -> Heard:
    if event.data.get("agreed") or event.data.get("with_refusal") or event.data.get("edited"):
        return {}  # its author just said so; the refusal tells of the offer; an answer is news once
    return {event.subject.author_id: "review"}


@heard_by("review.requested")
def _review_requested(event: Event) -> Heard:
    return {event.subject.person_id: "review_request"}


@heard_by("alert.issued", "alert.widened", "alert.ended")
def _alert(event: Event) -> Heard:
    """The owners it concerns, as the shelves are now; those who were told of it before don't hear it again."""
    alert: OwnerAlert = event.subject
    if event.kind == "alert.ended" and alert.kind == OwnerAlert.Kind.RECALL:
        return {}
    owners = alerts.owners_told(
        alert.kind, event.data["product"], event.data["versions"], before=event.data.get("before")
    )
    return dict.fromkeys(owners, str(alert.kind))


@heard_by("recipe.made", "tip.worked")
def _shared(event: Event) -> Heard:
    kept = event.data.get("on", event.data.get("worked") is True)
    return {event.subject.author_id: "shared"} if kept else {}


@heard_by("badge.awarded", "badge.given_by_hand", "badge.revoked")
def _badge(event: Event) -> Heard:
    if event.kind == "badge.revoked" and event.actor_id is None:
        return {}  # its ground fell away by itself
    person = event.subject if isinstance(event.subject, User) else getattr(event.subject, "person", None)
    return {person.pk: "badge"} if person is not None else {}


@heard_by(
    "thread.hidden", "answer.hidden", "comment.hidden", "review.hidden", "recipe.hidden", "tip.hidden",
    "thanks.hidden", "thanks.restored",
    "thread.restored", "answer.restored", "comment.restored", "review.restored", "recipe.restored", "tip.restored",
    "person.silenced", "person.warned", "person.restored", "penalty.lifted",
)  # fmt: skip
def _moderated(event: Event) -> Heard:
    person = event.subject.pk if isinstance(event.subject, User) else event.subject.author_id
    return {person: "moderation"}


@heard_by("thread.deleted", "answer.deleted", "comment.deleted", "recipe.deleted", "tip.deleted")
def _taken_away(event: Event) -> Heard:
    """Its author, unless it was theirs to take away."""
    by_others = event.actor_id is not None and not event.data.get("own")
    return {event.subject.author_id: "moderation"} if by_others else {}


@heard_by("thread.moved", "thread.locked")
def _put_in_order(event: Event) -> Heard:
    """Its author: title, product or tags are others now, or nobody may write on."""
    told = event.data.get("on", True) and event.actor_id != event.subject.author_id
    return {event.subject.author_id: "moderation"} if told else {}


@heard_by("look.decided")
def _let_through(event: Event) -> Heard:
    """What is hidden says so itself, and so does what was online before and is shown again."""
    look: Look = event.subject
    target = look.target
    if target is None or not (look.held and look.kept) or _just_said(event, target, f"{target.noun}.restored"):
        return {}
    return {target.author_id: "moderation"}


@heard_by("appeal.decided")
def _appeal_decided(event: Event) -> Heard:
    return {event.subject.author_id: "moderation"} if not event.data["granted"] else {}  # restoring says so


@heard_by("queue.late")
def _queue_late(event: Event) -> Heard:
    return dict.fromkeys(moderators(), "queue_late")


@heard_by("votes.taken_out", "votes.given_back")
def _votes(event: Event) -> Heard:
    return dict.fromkeys(event.data["people"], "moderation")


@heard_by("flag.upheld", "flag.declined")
def _flag(event: Event) -> Heard:
    flag: Flag = event.subject
    return {flag.reporter_id: "moderation"}


@heard_by("edit.suggested")
def _edit_suggested(event: Event) -> Heard:
    return {event.data["post_author"]: "edit_suggested"}


@heard_by("edit.accepted")
def _edit_accepted(event: Event) -> Heard:
    heard: Heard = {}
    _add(heard, [event.subject.editor_id], "edit_reviewed")
    _add(heard, [event.data.get("post_author")], "edit_suggested")
    return heard


@heard_by("edit.rejected")
def _edit_rejected(event: Event) -> Heard:
    return {event.subject.author_id: "edit_reviewed"}


@heard_by("thread.invited")
def _invited(event: Event) -> Heard:
    thread: Thread = event.subject
    if thread.answers.filter(author=event.data["person"]).exists():
        return {}  # they were quicker than the notice
    return {event.data["person"]: "invited"}


@heard_by("escalation.acknowledged")
def _acknowledged(event: Event) -> Heard:
    thread: Thread = event.subject
    spoken = models.Q(author=event.actor_id) | models.Q(official_by=event.actor_id)
    if thread.needs_info_since or thread.answers.filter(spoken).exists():
        return {}  # the question or the answer itself says it, and never two notices for one post
    just_now = (event.occurred_at - timedelta(minutes=1), event.occurred_at)
    if thread.is_idea and thread.idea_steps.filter(by=event.actor_id, at__range=just_now).exists():
        return {}  # so does the status
    return {thread.author_id: "acknowledged"}


@heard_by("escalation.advocates_notified")
def _advocates(event: Event) -> Heard:
    return dict.fromkeys(event.data.get("people", ()), "asked_to_help")


@heard_by("advocate.handed_over")
def _handed_over(event: Event) -> Heard:
    return {event.data["to"]: "asked_to_help"}


@heard_by("advocate.removed")
def _role_removed(event: Event) -> Heard:
    return {event.subject.pk: "programme"}


@heard_by("advocate.invited", "advocate.decided")
def _application(event: Event) -> Heard:
    return {event.subject.person_id: "programme"}


@heard_by("advocate.judge_asked")
def _judge(event: Event) -> Heard:
    return {event.subject.person_id: "judge"} if event.subject is not None else {}  # replaced meanwhile


@heard_by("letter.written")
def _letter(event: Event) -> Heard:
    return {event.subject.person_id: "impact_letter"}


@heard_by("thanks.given")
def _thanks(event: Event) -> Heard:
    return {event.subject.answer.author_id: "thanked"} if event.subject.is_visible else {}


@heard_by("escalation.department_notified", "escalation.routed")
def _department(event: Event) -> Heard:
    department = Department.objects.filter(pk=event.data.get("department")).first()
    if department is None:
        return {}
    return dict.fromkeys(_present(department, event), "case_department")


def _present(department: Department, event: Event) -> list[int]:
    """Who of a department is there; where nobody is, all of them: somebody must hear of it."""
    rows = department.memberships.filter(models.Q(away_until=None) | models.Q(away_until__lt=event.occurred_at))
    people = list(rows.order_by("user").values_list("user", flat=True))
    gone = away_ids(department, event.occurred_at)
    return [pk for pk in people if pk not in gone] or people


@heard_by("escalation.handed_over")
def _cases_handed_over(event: Event) -> Heard:
    """Once, whoever gets them; what went back to a department is told to those who are there."""
    if event.data.get("to"):
        return {event.data["to"]: "cases_handed"}
    heard: Heard = {}
    for department in Department.objects.filter(pk__in=event.data.get("departments", ())):
        _add(heard, [pk for pk in _present(department, event) if pk != event.data.get("giver")], "cases_handed")
    return heard


@heard_by("escalation.assigned")
def _assigned(event: Event) -> Heard:
    heard: Heard = {}
    _add(heard, with_stand_ins([event.data.get("assignee")], event.occurred_at), "case_assigned")
    return heard


@heard_by("escalation.lead_notified")
def _lead(event: Event) -> Heard:
    return dict.fromkeys(event.data.get("people", ()), "case_lead") or managers()


@heard_by("escalation.manager_notified")
def _manager(event: Event) -> Heard:
    return dict.fromkeys(event.data.get("people", ()), "case_lead") or managers()


@heard_by("escalation.late")
def _late(event: Event) -> Heard:
    people = with_stand_ins([event.data.get("assignee")], event.occurred_at)
    if not _just_said(event, event.subject, "escalation.lead_notified"):  # at the same hour, of the same case
        people += Department.objects.filter(pk=event.data.get("department")).values_list("lead", flat=True)
    heard: Heard = {}
    _add(heard, people, "case_late")
    return heard


@heard_by("escalation.pause_over")
def _pause_over(event: Event) -> Heard:
    """Whoever has the case; else who is there of its department, and the managers when it has none."""
    heard: Heard = {}
    if event.data.get("assignee"):
        _add(heard, with_stand_ins([event.data["assignee"]], event.occurred_at), "case_assigned")
    elif department := Department.objects.filter(pk=event.data.get("department")).first():
        _add(heard, _present(department, event), "case_assigned")
    return heard or managers()


@heard_by("escalation.promise_late")
def _promise_late(event: Event) -> Heard:
    heard = dict.fromkeys(event.data.get("people", ()), "case_late")
    there = User.objects.active().filter(pk__in=heard)
    return heard if any(is_staff(person) for person in there) else managers()  # who made it may have left


@heard_by("escalation.outcome_awaited")
def _outcome_awaited(event: Event) -> Heard:
    """Whoever handed it over, else whose case it is, else the lead; the managers where none of them is left."""
    heard: Heard = {}
    _add(heard, with_stand_ins(event.data.get("people", ()), event.occurred_at), "case_late")
    return heard or managers()


@heard_by("escalation.hand_off_failed", "escalation.outcome_not_posted")
def _hand_off_failed(event: Event) -> Heard:
    return {event.data["by"]: "case_lead", **managers()}


@heard_by("incident.closed")
def _incident_closed(event: Event) -> Heard:
    """Whoever asked about it or has the same. One notice each: in threads that were answered now the answer itself
    tells the asker and who follows, and owners who were told of the issue hear from their product that it is over."""
    incident: Incident = event.subject
    threads = list(Thread.objects.visible().filter(pk__in=event.data["threads"]))
    answered = set(event.data["answered"])
    told = set(followers([thread for thread in threads if thread.pk in answered]))
    told.update(thread.author_id for thread in threads if thread.pk in answered)
    if incident.alert is not None:
        versions = list(incident.alert.versions.values_list("pk", flat=True))
        told.update(alerts.owners_told(incident.alert.kind, incident.product_id, versions))
    heard: Heard = {}
    same = MeToo.objects.filter(target__in=threads, voter__isnull=False).values_list("voter", flat=True)
    _add(heard, [*(thread.author_id for thread in threads), *same], "incident", told)
    return heard


def moderators() -> list[int]:
    perms = Permission.objects.filter(codename="moderate", content_type__app_label="moderation")
    may = models.Q(groups__permissions__in=perms) | models.Q(user_permissions__in=perms)
    return sorted(set(User.objects.active().filter(may).values_list("pk", flat=True)))


def managers() -> Heard:
    group = ROLES["community-manager"].group
    people = User.objects.active().filter(groups__name=group).values_list("pk", flat=True)
    return dict.fromkeys(people, "case_lead")
