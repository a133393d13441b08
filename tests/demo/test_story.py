"""The demo comes out as its files say: told through the services, true in every counter, and told once."""

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth import authenticate
from django.db import models
from django.db.models import Sum
from django.test import Client

from advocates import rebuild
from advocates.models import AdvocateMembership, Award, BoardScore, Rank
from community.accounts.models import Department, Standing, User
from community.core import clock
from community.core.management.commands import prepare
from community.core.models import BrandSettings, Delivery, Tick
from community.demo import loading, logins, mail
from community.demo.models import Told
from community.demo.rows import Content
from community.escalation.models import Escalation, EscalationPolicy, EscalationStep, Incident, StepKind
from community.events.models import Event
from community.insights import daily, report, roi
from community.insights.metrics import DEFINITIONS
from community.insights.models import Month
from community.moderation.models import Flag, Moderated, PenaltyAppeal
from community.moderation.queue import counts
from community.notifications.models import Notification
from community.pages.models import HelpArticlePage
from community.posts.models import Comment, Revision
from community.questions.models import Answer, AnswerVote, Split, Thread, ThreadVote
from community.sharing.models import Recipe, Tip
from products.models import OrderLine, OwnerAlert, Product, ReceiptCode
from reviews.models import Refusal, Review, ReviewRequest

from .conftest import FOLDER, WEDNESDAY

pytestmark = [pytest.mark.usefixtures("told"), pytest.mark.slow]
RUNGS = {kind.value for kind in StepKind}


def the(key: str, model: type[models.Model]) -> models.Model:
    return model._default_manager.get(pk=Told.objects.get(key=key).object_id)


def test_everything_is_there(content: Content) -> None:
    assert Thread.objects.count() == len(content.threads) + 1 == 65, "one was split off by a moderator"
    assert Review.objects.count() == len(content.reviews) == 90
    assert Recipe.objects.count() == len(content.recipes)
    assert Tip.objects.count() == len(content.tips)
    assert HelpArticlePage.objects.live().count() == len(content.articles)
    assert Product.objects.count() == len(content.products["products"])
    assert User.objects.count() == len(content.people)
    assert Answer.objects.count() == sum(len(row["answers"]) for row in content.threads)


def test_known_faults_are_told_with_their_lines(content: Content) -> None:
    for row in content.incidents:
        known = the(f"incident:{row['slug']}", Incident)
        gathered = set(known.threads.values_list("thread", flat=True))
        assert gathered == {the(f"thread:{one['slug']}", Thread).pk for one in row["threads"]}
        assert list(known.updates.values_list("text", flat=True)) == [line["text"] for line in row["timeline"]]
        assert known.is_open != ("solved" in row)
    steam = Product.objects.get(slug="steam")
    assert [line["text"][:12] for line in steam.recall_news][:1] == ["5,212 of the"] and not steam.known_issues
    assert OwnerAlert.objects.filter(product=steam).count() == 1, "a recall is told once"


def test_each_thread_is_in_the_state_its_file_says(content: Content) -> None:
    wrong = {}
    for row in content.threads:
        thread = the(f"thread:{row['slug']}", Thread)
        state = "locked" if thread.locked_at else thread.state.replace("_", " ")
        if state != row["state"]:
            wrong[row["slug"]] = (row["state"], state)
    assert not wrong


def test_histories_and_policies_agree(content: Content) -> None:
    """A rung that a file tells fired when its policy had it due; out of turn only when somebody called."""
    odd = []
    for row in content.threads:
        thread = the(f"thread:{row['slug']}", Thread)
        case = Escalation.objects.filter(thread=thread).select_related("policy").first()
        for step in row.get("escalation") or []:
            kind = {"community manager notified": "manager_notified"}.get(step["step"], step["step"].replace(" ", "_"))
            if kind not in RUNGS or kind == StepKind.LATE or step.get("by"):
                continue
            at = thread.created_at + timedelta(minutes=step["minutes_after"])
            fired = EscalationStep.objects.filter(escalation=case, kind=kind, fired_at=at).first()
            if fired is None:
                odd.append((row["slug"], step["minutes_after"], kind, "was not told"))
            elif fired.position is None:
                odd.append((row["slug"], step["minutes_after"], kind, "no rung, and nobody called"))
            elif not case.policy.match.get("me_too_at_least"):
                late = fired.fired_at - fired.due_at
                if not timedelta(0) <= late <= timedelta(minutes=10):
                    odd.append((row["slug"], step["minutes_after"], kind, f"due {late} before"))
    assert not odd


def test_no_department_is_told_the_same_twice() -> None:
    told: Counter[tuple[str, int, str]] = Counter()
    for step in EscalationStep.objects.filter(kind="department_notified").select_related("escalation__thread"):
        told[step.escalation.thread.title, step.round, str(step.department)] += 1
    assert not [line for line, times in told.items() if times > 1]


def test_open_threads_are_alive() -> None:
    """Whoever has one has it until a moment to come, or it waits for somebody, or it is said to be late."""
    open_cases = Escalation.objects.filter(state="open").select_related("thread")
    assert len(open_cases) > 10
    for case in open_cases:
        assert case.next_due_at is None or case.next_due_at > WEDNESDAY, case.thread
    assert sum(case.next_due_at is not None for case in open_cases) >= 8
    assert sum(case.is_paused for case in open_cases) >= 4


def test_scores_are_sums_of_rows() -> None:
    for post, votes in ((Thread, ThreadVote), (Answer, AnswerVote)):
        sums = dict(votes.objects.values_list("target").annotate(Sum("value")))
        assert sums
        for pk, score in post.objects.values_list("pk", "score"):
            assert score == sums.get(pk, 0)


def test_tallies_have_no_voter_and_people_have_one(content: Content) -> None:
    row = next(row for row in content.reviews if row["key"] == "duo-bob")
    review = the("review:duo-bob", Review)
    assert (review.helpful_yes, review.helpful_no) == (row["helpful"]["yes"], row["helpful"]["no"])
    assert set(review.helpful_votes.values_list("source", "voter")) == {("demo", None)}
    thread = the("thread:duo-steam-wand-drip", Thread)
    assert thread.votes.filter(voter__username="ruth.adler").count() == 1


def test_moderators_find_something_to_do(content: Content) -> None:
    """Open flags of several kinds of posts, one older than the queue's alarm, and reviews that wait for a look."""
    flags = list(Flag.objects.filter(state="open").select_related("target_type", "reporter"))
    assert {flag.target_type.model for flag in flags} == {"answer", "review", "tip"}
    assert all(flag.note and flag.target.is_visible for flag in flags)
    assert min(flag.created_at for flag in flags) < WEDNESDAY - timedelta(hours=48)
    assert Review.objects.filter(visibility="pending").count() == 4
    assert counts() == {"flagged": 3, "pending": 4, "appeals": 1, "hidden": counts()["hidden"]}


def test_people_are_who_they_are() -> None:
    bob, mei, hanna = (User.objects.get(username=name) for name in ("bob.ferreira", "mei.tanaka", "hanna.virtanen"))
    assert (bob.standing, mei.standing) == (Standing.ADVOCATE, Standing.STAFF)
    assert "spare parts" in bob.interests_text
    assert mei.department.slug == "support"
    assert mei.has_perm("questions.answer_officially")
    assert hanna.has_perm("escalation.manage_policies")
    assert Department.objects.get(slug="design").lead.username == "tomas.lindqvist"
    assert AdvocateMembership.objects.get(user__username="freya.holm").state == AdvocateMembership.State.AWAY
    assert User.objects.get(username="former-member-17").standing == Standing.ERASED
    assert not User.objects.filter(date_joined__gt=WEDNESDAY).exists()


def test_nobody_acts_before_joining() -> None:
    joined = dict(User.objects.values_list("pk", "date_joined"))
    for actor, at in Event.objects.exclude(actor=None).values_list("actor", "occurred_at"):
        assert at >= joined[actor]


def test_reputation_badges_and_boards_are_true() -> None:
    for member in AdvocateMembership.objects.filter(state="active").select_related("user"):
        assert member.user.reputation > 100, member.user
        assert member.user.rank_name
    assert Rank.objects.count() == 8
    assert Award.objects.count() > 50
    assert set(BoardScore.objects.values_list("period", flat=True).distinct()) >= {"week", "month", "all"}
    assert not BoardScore.objects.filter(person__standing=Standing.STAFF, listed=True).exists()


def test_nothing_left_the_house() -> None:
    assert not Answer.objects.filter(recheck_on__lte=clock.now().date()).exists(), "the first sweep would look at it"
    assert not Delivery.objects.exists()
    assert set(Event.objects.values_list("origin", flat=True)) == {"demo"}


def test_moderation_is_as_told() -> None:
    spam = the("thread:best-price-capsule-deal", Thread)
    assert spam.visibility == Moderated.Visibility.HIDDEN
    assert not Thread.objects.filter(pk=spam.pk).visible().exists()
    assert Refusal.objects.count() == 5
    rude = the("answer:uno-warranty-refused-for-scale:former-member-17", Answer)
    assert rude.visibility == Moderated.Visibility.HIDDEN
    stray = the("comment:thread:duo-steam-wand-drip:1:sami.nieminen", Comment)
    assert stray.target == the("thread:uno-temperature-surfing", Thread), "a moderator moved it where it belongs"
    split = Split.objects.get(comment__isnull=False)
    assert split.thread.title == "May the filter of the Press go into the dishwasher?"
    assert [answer.author.username for answer in split.thread.answers.visible()] == ["linh.tran"]
    appeals = PenaltyAppeal.objects.order_by("created_at").values_list("author__username", "granted")
    assert list(appeals)[-1] == ("daniel.novak", None) and list(appeals)[0][1] is False


def test_edits_keep_what_was_before() -> None:
    answer = the("answer:mill-54-burr-alignment:bob.ferreira", Answer)
    first, second = Revision.objects.filter(target_type__model="answer", target_id=answer.pk).order_by("number")
    assert "too **high**" in first.body_source
    assert "too **low**" in second.body_source == answer.body_source
    assert second.summary


def test_brand_and_policies() -> None:
    brand = BrandSettings.objects.get()
    assert (brand.name, brand.accent, brand.accent_dark) == ("Brindle", "#79491f", "#dcae80")
    support = Department.objects.get(slug="support")
    assert support.hours["5"] == [["09:00", "13:00"]]
    assert "6" not in support.hours
    assert EscalationPolicy.objects.filter(active=True).count() >= 10


def test_told_again_nothing_changes() -> None:
    before = _rows()
    report = loading.load(FOLDER)
    assert report.total == 0
    assert report.known == Told.objects.count()
    assert _rows() == before


def _rows() -> Counter[str]:
    return Counter(
        {model._meta.label: model._base_manager.count() for model in apps.get_models(include_auto_created=True)}
    )


def test_a_cut_run_goes_on(content: Content) -> None:
    """What was not told (a vote, say) is told by the next run, and nothing else."""
    vote = AnswerVote.objects.filter(voter__isnull=False).first()
    key = next(row.key for row in Told.objects.filter(key__startswith="vote:duo-steam-wand-drip:bob.ferreira:"))
    name = key.rpartition(":")[2]
    answer = the("answer:duo-steam-wand-drip:bob.ferreira", Answer)
    score = answer.score
    assert vote is not None
    answer.votes.filter(voter__username=name).delete()
    Answer.objects.filter(pk=answer.pk).update(score=score - 1)
    Told.objects.filter(key=key).delete()
    report = loading.load(FOLDER)
    assert report.told == Counter({"vote": 1})
    answer.refresh_from_db()
    assert answer.score == score


def test_an_update_tells_what_is_new_and_leaves_out_what_no_longer_fits() -> None:
    """`make run` with newer files: here departments get a name, and somebody who has left can't appeal any more."""
    Department.objects.update(translations={})
    Told.objects.filter(key__startswith="house:department:").update(digest="of older words")
    gone = Told.objects.get(key__regex=r"^measure:uno-warranty-refused-for-scale:4005$").key
    Told.objects.filter(key__startswith=gone).delete()
    assert not User.objects.get(username="former-member-17").is_active
    with pytest.raises(loading.Stumble):
        loading.load(FOLDER)  # the strict way of a first telling
    Tick.objects.create(name=prepare.LOADED, next_at=clock.now())  # as older releases left it
    said = StringIO()
    prepare.Command(stdout=said).load_demo()
    assert Department.objects.get(slug="support").translations["de"]["name"] == "Kundendienst"
    assert not Told.objects.filter(key=gone).exists()
    assert "2 facts don't fit what has happened here since" in said.getvalue()
    again = StringIO()
    prepare.Command(stdout=again).load_demo()
    assert again.getvalue() == ""


def test_people_find_their_notices() -> None:
    mine = Notification.objects.filter(recipient__username="bob.ferreira")
    assert mine.exists()
    assert Notification.objects.filter(unread=True).exists()
    assert Notification.objects.filter(unread=False).exists()


def test_logins_work_and_staff_have_a_second_factor() -> None:
    words = logins.file().read_text().splitlines()
    assert "demo" in words[0].lower()
    seen = {}
    for line in words[1:]:
        role, username, password = line.strip().rsplit(maxsplit=2)
        assert authenticate(username=username, password=password) is not None
        assert EmailAddress.objects.filter(user__username=username, verified=True, primary=True).exists()
        seen[role] = username
    assert set(seen) == {"customer", "advocate", "agent", "community manager", "editor", "moderator"}
    staff = User.objects.filter(standing=Standing.STAFF)
    assert Authenticator.objects.filter(type="totp", user__in=staff).count() == staff.count() == 10
    assert logins.make() == []


def test_a_code_of_the_page_lets_staff_in(client: Client) -> None:
    line = next(line for line in logins.file().read_text().splitlines() if " mei.tanaka " in line)
    answer = client.post("/accounts/login/", {"login": "mei.tanaka", "password": line.split()[-1]})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/2fa/")
    code = next(code for person, _role, code in logins.codes() if person.username == "mei.tanaka")
    answer = client.post("/accounts/2fa/authenticate/", {"code": code})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(username="mei.tanaka").pk)


def test_mail_page(client: Client, settings: object) -> None:
    place = mail.folder()
    assert place is not None
    place.mkdir(exist_ok=True)
    (place / "20261118-090000-1.log").write_bytes(
        b'Content-Type: text/plain; charset="utf-8"\nMIME-Version: 1.0\nSubject: Your code: 123 456\n'
        b"From: Community <community@localhost>\nTo: new@example.org\nDate: Wed, 18 Nov 2026 08:59:00 -0000\n\n"
        b"<b>Hello</b> http://localhost/x\n" + b"-" * 79 + b"\n"
    )
    page = client.get("/demo/mail/")
    assert page.status_code == 200
    assert b"Your code: 123 456" in page.content
    assert b"mei.tanaka" in page.content
    key = mail.newest()[0].key
    one = client.get(f"/demo/mail/{key}/")
    assert b"&lt;b&gt;Hello" in one.content
    assert b'href="http://localhost/x"' in one.content
    assert client.get("/demo/mail/nothing-like-it/").status_code == 404
    assert client.post("/demo/mail/").status_code == 405
    assert b"/demo/mail/" in client.get("/accounts/login/").content


def test_mail_page_is_the_demos_alone(client: Client, settings: object) -> None:
    settings.DEMO_ALLOWED = False  # type: ignore[attr-defined]
    assert client.get("/demo/mail/").status_code == 404
    assert b"/demo/mail/" not in client.get("/accounts/login/").content


def test_the_clock_was_only_visited() -> None:
    assert clock.now() == WEDNESDAY


def test_shelves_are_told() -> None:
    alice = User.objects.get(username="alice.meyer")
    assert dict(alice.shelf.values_list("product__slug", "verified")) == {"duo": "order", "scale": "order"}
    assert OrderLine.objects.waiting().count() == 4
    assert ReceiptCode.objects.filter(used_at=None).count() == 3
    assert sorted(OwnerAlert.objects.open().values_list("product__slug", "versions__name")) == [
        ("drip-8", "Series 1"), ("steam", "Series 1"),
    ]  # fmt: skip
    asked = ReviewRequest.objects.get(due_at__lte=WEDNESDAY)
    assert (asked.person, asked.product.slug) == (alice, "scale"), "the worker asks one person, about one thing"


def test_the_figures_show_a_year_against_a_baseline_and_equal_the_log() -> None:
    sections = report.sections(report.Scope(), WEDNESDAY.date())
    assert [section.figure for section in sections] == list(DEFINITIONS)
    for section in sections:
        values = section.lines[0].values
        assert sum(value is not None for value in values) >= 6, section.figure
        assert len(set(values) - {None}) > 1, f"{section.figure} moves"
    assert {line.series for section in sections for line in section.lines if line.source} == {
        "acknowledged", "resolution_median", "resolution_p90", "first_contact", "holds", "settled_by_staff",
    }  # fmt: skip
    assert Month.objects.filter(frozen_at__isnull=True).count() == 1
    assert daily.rebuild(write=False, now=WEDNESDAY).differences == []
    assert rebuild.rebuild(write=False).differences == []
    assert roi.reckon({"stopped": 100}, 12, ["Low", "Middle", "High"], roi.given()).missing == []
