"""Points, badges and the programme: the ledger itself hears that somebody left or was joined (`reputation.py`)."""

from community.accounts.models import Standing, User
from community.core.personal import (
    CUT,
    GONE,
    MOVES,
    STAYS,
    Joining,
    Leaving,
    after_joining,
    before_joining,
    before_leaving,
    part,
    tie,
)
from community.events.log import record
from community.events.models import Event
from community.moderation import services as moderation

from . import services
from .models import AdvocateMembership, Application, Judge, Judgement, Letter, Thanks, VoteFinding, VoteTakenOut

tie(
    "advocates.ReputationEntry.person",
    left=STAYS,
    joined=STAYS,
    copy="day points reason target_type__model target_id at",
)
tie("advocates.ReputationEntry.giver", left=STAYS, joined=STAYS)
tie("advocates.DayTotal.person", left=STAYS, joined=STAYS)
tie("advocates.BoardScore.person", left=GONE, joined=STAYS, copy="period start board points")
tie("advocates.BoardAbsence.person", left=GONE, joined=GONE)
tie("advocates.Competence.person", left=GONE, joined=STAYS, copy="kind key score")
tie("advocates.VoteFinding_people.user", left=STAYS, joined=MOVES)
tie("advocates.VoteFinding.decided_by", left=STAYS, joined=MOVES)
tie("advocates.VoteTakenOut.voter", left=STAYS, joined=MOVES)
tie("advocates.Award.person", left=GONE, joined=MOVES, copy="badge__name per_key at reason")
tie("advocates.Award.given_by", left=STAYS, joined=MOVES)
tie(
    "advocates.AdvocateMembership.user", left=STAYS, joined=MOVES, copy="state since until note joined_at farewell",
    blank="note farewell",
)  # fmt: skip
tie("advocates.AdvocateMembership.stand_in", left=CUT, joined=MOVES)
tie("advocates.AdvocateMembership.admitted_by", left=STAYS, joined=MOVES)
tie("advocates.Interest.person", left=GONE, joined=MOVES, copy="kind line since until declared_at")
tie("advocates.Ask.person", left=STAYS, joined=MOVES, copy="thread_id at answered_at passed_at why")
tie("advocates.Ask.handed_to", left=STAYS, joined=MOVES)
tie("advocates.Claim.person", left=GONE, joined=GONE)
tie("advocates.Lesson.person", left=GONE, joined=MOVES, copy="kind key factor at")
tie("advocates.Rhythm.person", left=GONE, joined=MOVES, copy="hours since at")
tie("advocates.CodeOfConduct.published_by", left=STAYS, joined=MOVES)
tie("advocates.CodeAcceptance.person", left=GONE, joined=MOVES, copy="code__version at")
tie(
    "advocates.Application.person", left=GONE, joined=MOVES,
    copy="state motivation created_at applied_at answered_at decided_at reason",
)  # fmt: skip
part("advocates.TrialItem.application__person", copy="application_id product__name answer answered_at")
part("advocates.Judgement.judge__person", copy="item_id helps note at")
tie("advocates.Application.invited_by", left=STAYS, joined=MOVES)
tie("advocates.Application.decided_by", left=STAYS, joined=MOVES)
tie("advocates.Judge.person", left=STAYS, joined=MOVES, copy="application_id place asked_at done_at")
tie(
    "advocates.Letter.person",
    left=GONE,
    joined=MOVES,
    copy="month answers accepted readers fixes thanks contacts_saved",
)
tie("advocates.Thanks.author", left=STAYS, joined=MOVES, copy="answer_id body_text asker_shows created_at")
tie("advocates.Thanks.hidden_by", left=STAYS, joined=STAYS)


@before_leaving
def leave_the_programme(leaving: Leaving) -> None:
    """The role ends, and what waits for them waits for somebody else."""
    person = leaving.person
    if services.end_membership(person):
        record("advocate.left", actor=person, subject=person)
    AdvocateMembership.objects.filter(user=person).update(removed=True)  # nobody thanks a former member by name
    Judge.objects.filter(person=person, done_at=None).delete()
    if leaving.words_go:
        for thanks in Thanks.objects.filter(author=person).exclude(visibility=Thanks.Visibility.DELETED):
            moderation.delete(thanks, person)
        Thanks.objects.filter(author=person).update(body_text="–")
        VoteTakenOut.objects.filter(voter=person).delete()  # with what they wrote beside it
        Judgement.objects.filter(judge__person=person).update(note="")
    _out_of_letters(person)


def _out_of_letters(person: User) -> None:
    """A letter is signed by the name of who led the department then; the department's own stays."""
    if not Event.objects.about(person).filter(kind="person.role_changed").exists():
        return
    for letter in Letter.objects.filter(signed_by__startswith=f"{person.name}, ").select_related("department"):
        letter.signed_by = letter.department.name if letter.department is not None else ""
        letter.save(update_fields=["signed_by"])


@before_joining
def one_place_in_the_programme(joining: Joining) -> None:
    """Where both have one, that of the account that stays holds; so do its open application and what was found."""
    gone, kept = joining.gone, joining.kept
    member = AdvocateMembership.objects.filter(user=kept).first()
    if member is not None:
        AdvocateMembership.objects.filter(user=gone).delete()
    if Application.objects.filter(person=kept).open().exists():
        Application.objects.filter(person=gone).open().update(state=Application.State.WITHDRAWN)
    both = (gone, kept)
    # Nobody thanks themselves, or judges their own trial.
    for thanks in Thanks.objects.filter(author__in=both, answer__author__in=both).select_related("author"):
        moderation.delete(thanks, thanks.author)
    Judge.objects.filter(person__in=both, application__person__in=both, done_at=None).delete()
    VoteFinding.objects.filter(
        people=gone, state=VoteFinding.State.OPEN
    ).delete()  # it was one person; found anew if not


@after_joining
def stand_where_they_stand(joining: Joining) -> None:
    """What bylines print of the programme and of ties."""
    kept = User.objects.get(pk=joining.kept.pk)
    member = AdvocateMembership.objects.filter(user=kept).select_related("user").first()
    if member is not None and kept.standing != Standing.STAFF:
        services.copy_standing(member)
    services.copy_interests(kept)
