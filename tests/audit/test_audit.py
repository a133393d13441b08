"""Who did what to whom, and why: nothing staff do is left out, nothing in it can be changed."""

import csv
import io
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory
from django.urls import resolve, reverse

from advocates.models import Badge, Rank
from community.accounts import services as accounts
from community.accounts.models import Department, User
from community.audit import reading, words
from community.audit.views import SearchForm
from community.core.models import Numbers
from community.escalation import handoffs, incidents
from community.escalation.models import Channel, SavedReply
from community.events import acting, acts, guard
from community.events.acting import by as as_acting
from community.events.kinds import KINDS
from community.events.log import looked_at, record
from community.events.middleware import AuditMiddleware
from community.events.models import Event, EventNote
from community.events.querysets import AppendOnly
from community.moderation import services as moderation
from community.moderation.models import ModerationRules
from community.questions import services as questions
from community.questions.models import Thread
from tests import factories

pytestmark = pytest.mark.django_db


def last() -> Event:
    """The newest act, without what a case makes of it by itself."""
    return Event.objects.acts().exclude(kind__startswith="escalation.").select_related("note").latest("pk")


@pytest.fixture
def manager(client: Client, hanna: User, enrol: Callable[[User], None]) -> Client:
    enrol(hanna)
    client.force_login(hanna)
    return client


# The log


def test_nothing_changes_or_deletes_an_event(thread: Thread) -> None:
    event = Event.objects.latest("pk")
    for attempt in (event.save, event.delete, Event.objects.all().delete, lambda: Event.objects.update(kind="x")):
        with pytest.raises(AppendOnly):
            attempt()


def test_the_database_itself_refuses(thread: Thread) -> None:
    before = Event.objects.count()
    assert before
    for statement in ("UPDATE events_event SET kind = 'x'", "DELETE FROM events_event"):
        with pytest.raises(DatabaseError, match=guard.SAYS), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert Event.objects.count() == before


def test_the_guard_is_up_again_after_every_migrate(thread: Thread) -> None:
    guard.take_down()
    guard.after_migrate()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_event")


def test_reasons_can_be_erased(thread: Thread, ravi: User) -> None:
    """The event stays; the words about a person go (RULINGS 28)."""
    moderation.hide(thread, ravi, reason="Names a neighbour")
    EventNote.objects.filter(event=last()).delete()
    assert last().kind == "thread.hidden"


# What is an act


def test_what_staff_do_is_an_act_and_what_members_do_is_not(thread: Thread, alice: User, ravi: User) -> None:
    assert not Event.objects.acts().exclude(kind="person.role_changed").exists()
    moderation.hide(thread, ravi, reason="Off topic")
    event = last()
    assert (event.kind, event.actor, event.whom, event.note.text) == ("thread.hidden", ravi, alice, "Off topic")
    moderation.restore(thread, ravi)
    moderation.delete(thread, alice)
    assert last().kind == "thread.restored", "what its author takes away is no act of staff"


def test_staff_with_what_they_wrote_themselves_act_not(ravi: User, dana: User, duo: object) -> None:
    own = factories.a_thread(ravi, product=duo)
    moderation.delete(own, ravi)
    assert not Event.objects.acts().filter(kind="thread.deleted").exists()
    other = factories.a_thread(dana, product=duo)
    moderation.delete(other, ravi, reason="Posted twice")
    assert last().whom == dana


def test_a_kind_nobody_thought_of_is_an_act(ravi: User, alice: User) -> None:
    assert acts.is_act("something.new", ravi, alice.pk, {})
    assert not acts.is_act("something.new", alice, None, {})
    root = factories.a_person("root", is_superuser=True)
    assert acts.is_act("something.new", root, alice.pk, {}), "with all powers, without the standing"


def test_the_lists_name_kinds_that_exist() -> None:
    for names in (acts.EVERYDAY, acts.WITH_ONES_OWN, acts.ALWAYS, words.LABELS):
        assert set(names) <= set(KINDS)


def test_what_staff_approve_names_who_did(alice: User, ravi: User, duo: object) -> None:
    waiting = factories.a_thread(alice, product=duo)
    Thread.objects.filter(pk=waiting.pk).update(visibility="pending")
    waiting.refresh_from_db()
    moderation.approve(waiting, ravi)
    assert (last().kind, last().actor, last().whom) == ("moderation.approved", ravi, alice)


def test_a_role_says_what_it_was_before(alice: User, hanna: User, support: Department) -> None:
    accounts.set_role(alice, hanna, "agent", support)
    accounts.set_role(alice, hanna, "moderator")
    data = last().data
    assert (data["previous"], data["role"], data["previous_department"]) == ("agent", "moderator", support.pk)


# The admin


def test_settings_leave_before_and_after(manager: Client, hanna: User) -> None:
    """Through Wagtail's own screen, which knows no service of ours; one act, not two."""
    address = reverse("wagtailsettings:edit", args=["core", "numbers", Numbers.load().pk])
    page = manager.get(address)
    values = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    before = Event.objects.acts().count()
    manager.post(address, values | {"mails_a_day": 7, "review_first_posts": "on"})
    assert Event.objects.acts().count() == before + 1
    event = last()
    assert (event.kind, event.actor, event.data["model"]) == ("settings.changed", hanna, "core.numbers")
    assert event.note.changes == {"mails_a_day": [100, 7], "review_first_posts": [False, True]}
    manager.post(address, values | {"mails_a_day": 7, "review_first_posts": "on"})
    assert Event.objects.acts().filter(kind="settings.changed").count() == 1, "nothing was different"


@pytest.mark.parametrize("url", ["accounts:profile", "programme_ranks:add"])
def test_what_watches_stays_silent_for_members_and_lists(client: Client, alice: User, url: str) -> None:
    client.force_login(alice)
    client.get(reverse(url))
    assert not Event.objects.acts().exists()


def test_ranks_badges_and_departments_are_watched(manager: Client, hanna: User, support: Department) -> None:
    rank = Rank.objects.order_by("threshold").last()
    values = {name: getattr(rank, name) for name in ("slug", "name", "threshold", "line", "drawing", "alt")}
    manager.post(reverse("programme_ranks:edit", args=[rank.pk]), values | {"line": "Knows them all"})
    event = last()
    assert (event.kind, event.subject, event.actor) == ("settings.changed", rank, hanna)
    assert event.note.changes["line"][1] == "Knows them all"
    manager.post(reverse("programme_ranks:delete", args=[rank.pk]))
    gone = Event.objects.acts().get(kind="settings.removed")
    assert gone.note.changes["name"] == [rank.name, None]
    from community.events.watching import WATCHED

    assert {Badge, Department, Numbers} <= set(WATCHED)


def test_pages_stand_in_the_same_log(manager: Client, hanna: User) -> None:
    """Wagtail's log of page edits is mirrored, with the page's title."""
    from wagtail.models import Page

    page = Page.objects.filter(depth=2).first()
    manager.post(reverse("wagtailadmin_pages:unpublish", args=[page.pk]))
    event = Event.objects.acts().filter(data__action="wagtail.unpublish").get()
    assert (event.actor, event.subject_id, event.note.text) == (hanna, page.pk, page.get_admin_display_title())


class Answered:
    """A screen somebody adds and forgets to record."""

    def __init__(self, **given: object) -> None:
        self.given = given

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.resolver_match = resolve(request.path)
        return HttpResponse(**self.given)


def through(view: Callable[[HttpRequest], HttpResponse], user: User, method: str = "post", path: str = "") -> None:
    request = getattr(RequestFactory(), method)(path or reverse("keepers:people"))
    request.user = user
    AuditMiddleware(view)(request)


def test_a_screen_that_records_nothing_leaves_a_trace_all_the_same(hanna: User, alice: User) -> None:
    through(Answered(status=303), hanna)
    assert (last().kind, last().actor, last().data["action"]) == ("admin.acted", hanna, "keepers:people")
    before = Event.objects.count()
    through(Answered(status=303), alice)  # no staff
    through(Answered(status=422), hanna)  # nothing was done
    through(Answered(status=200), hanna, "get")  # only looked
    through(Answered(status=303), hanna, path="/questions/")  # services record there
    assert Event.objects.count() == before


def test_an_answer_in_the_page_is_no_way_round_the_audit(hanna: User) -> None:
    """A screen that answers without leading on has acted, too, unless it says that it only showed something."""
    through(Answered(status=200), hanna)
    assert (last().kind, last().actor) == ("admin.acted", hanna)
    before = Event.objects.count()

    def refused(request: HttpRequest) -> HttpResponse:
        request.resolver_match = resolve(request.path)
        return TemplateResponse(request, "x.html", {"form": SearchForm({"since": "never"})})

    def preview(request: HttpRequest) -> HttpResponse:
        acting.only_looked()
        return Answered(status=200)(request)

    through(refused, hanna)
    through(preview, hanna)
    assert Event.objects.count() == before


def test_channels_rules_and_replies_leave_before_and_after(manager: Client, hanna: User, alice: User) -> None:
    channel = handoffs.save_channel(Channel(kind="webhook", slug="w", name="W", url="https://a.example.org/"), hanna)
    with as_acting(lambda: hanna):
        channel.url = "https://b.example.org/"
        handoffs.save_channel(channel, hanna)
        assert last().note.changes == {"url": ["https://a.example.org/", "https://b.example.org/"]}
        rules = ModerationRules.load()
        rules.spam_filter = False
        rules.save()
        assert last().note.changes["spam_filter"] == [True, False]
        SavedReply.objects.create(slug="hello", title="Hello", body="Hello {name}")
        assert (last().kind, last().data["model"]) == ("settings.created", "escalation.savedreply")
    secret = manager.post(reverse("escalation:channel_secret", args=[channel.pk]))
    assert secret.status_code == 200
    event = last()
    assert (event.kind, event.subject, set(event.note.changes)) == ("settings.changed", channel, {"changed_secret_at"})


def test_who_takes_a_thread_out_of_a_known_issue_is_said(alice: User, dana: User, duo: object) -> None:
    thread = factories.a_thread(alice, kind="problem")
    incident = incidents.open_incident(duo, dana, title="It drips", body="It drips at the valve.", first=thread)
    incidents.let_go(incident, thread, dana)
    incidents.let_go(incident, thread, dana)
    told = Event.objects.acts().filter(kind="incident.let_go")
    assert [(event.actor, event.subject, event.data["thread"]) for event in told] == [(dana, incident, thread.pk)]


def test_a_screen_that_records_is_not_told_twice(hanna: User, alice: User) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        request.resolver_match = resolve(request.path)
        accounts.silence(alice, hanna, hours=24, reason="Spam")
        return HttpResponse(status=303)

    before = Event.objects.count()
    through(view, hanna)
    assert Event.objects.count() == before + 1
    assert last().kind == "person.silenced"


def test_every_file_out_of_the_admin_is_an_entry(manager: Client, hanna: User) -> None:
    response = manager.get(reverse("audit:csv") + "?q=spam")
    b"".join(response.streaming_content)
    event = last()
    assert (event.kind, event.actor, event.data["view"]) == ("data.exported", hanna, "audit:csv")
    assert event.note.text.endswith("acts.csv?q=spam")
    manager.get(reverse("audit:csv") + "?who=alice%40example.org&q=spam")
    assert last().note.text.endswith("acts.csv?who=…&q=spam"), "an address is theirs, and goes with them"
    manager.get(reverse("programme_advocates:index") + "?export=csv")
    assert last().data["view"] == "programme_advocates:index"


# Personal data


def test_each_look_at_private_details_is_an_entry(alice: User, dana: User, duo: object, client: Client) -> None:
    thread = factories.a_thread(alice, product=duo, kind="problem", private={"serial": "M54"})
    questions.view_private_details(thread, alice)
    assert not Event.objects.looks_at(alice).exists(), "one's own isn't looked at"
    questions.view_private_details(thread, dana)
    questions.view_private_details(thread, dana)
    assert Event.objects.looks_at(alice).filter(actor=dana, data__what="private_details").count() == 2
    client.force_login(alice)
    page = client.get(reverse("accounts:seen")).content.decode()
    assert "Seen 2 times" in page
    assert "dana" not in page.lower(), "who looked is the house's matter"


def test_account_pages_and_addresses_are_looks(manager: Client, alice: User, hanna: User) -> None:
    User.objects.filter(pk=alice.pk).update(email="alice@example.org")
    manager.get(reverse("keepers:people") + "?q=alice@example.org")
    manager.get(reverse("keepers:person", args=[alice.pk]))
    manager.get(reverse("keepers:person", args=[hanna.pk]))
    assert [event.data["what"] for event in Event.objects.looks_at(alice).in_order()] == ["email", "account"]
    assert not Event.objects.looks_at(hanna).exists()


# The screen


def test_only_managers_see_it(client: Client, dana: User, enrol: Callable[[User], None]) -> None:
    enrol(dana)
    client.force_login(dana)
    for name in ("audit:audit", "audit:csv"):
        assert client.get(reverse(name)).status_code == 403
    assert client.post(reverse("audit:audit")).status_code in (403, 405)


def test_searching_by_each_thing(manager: Client, thread: Thread, alice: User, bob: User, ravi: User) -> None:
    moderation.hide(thread, ravi, reason="Sells tickets")
    with transaction.atomic():
        looked_at(bob, ravi, "email")

    def found(**asked: object) -> list[str]:
        return [line.event.kind for line in manager.get(reverse("audit:audit"), asked).context["page"].lines]

    assert found(whom="alice", group="posts") == ["thread.hidden"]
    assert found(who="ravi", group="posts") == ["thread.hidden"]
    assert set(found(who="ravi")) >= {"personal.viewed", "thread.hidden"}
    assert found(q="tickets") == ["thread.hidden"]
    assert found(group="personal") == ["personal.viewed"]
    assert found(kind="thread.hidden", since="2020-01-01") == ["thread.hidden"]
    assert found(until="2020-01-01") == []
    event = Event.objects.get(kind="thread.hidden")
    assert "thread.hidden" in found(about=f"{event.subject_type_id}-{event.subject_id}")
    assert "personal.viewed" not in found(about=f"{event.subject_type_id}-{event.subject_id}")
    page = manager.get(reverse("audit:audit"), {"q": "tickets"}).content.decode()
    assert "Sells tickets" in page
    assert thread.get_absolute_url() in page


# Nobody does these: a rule, a clock or the worker does. Members alone appeal.
BY_ITSELF = {
    "look.asked", "appeal.made", "queue.late", "escalation.advocates_notified", "escalation.department_notified",
    "escalation.lead_notified", "escalation.manager_notified", "escalation.outcome_not_posted",
    "escalation.outcome_awaited",
    "escalation.hand_off_failed", "escalation.promise_late", "escalation.late",
    "escalation.pause_over",
}  # fmt: skip


def test_whatever_staff_do_has_words() -> None:
    assert set(KINDS) - acts.EVERYDAY - words.LABELS.keys() == BY_ITSELF


def test_what_is_asked_wrongly(manager: Client) -> None:
    address = reverse("audit:audit")
    assert manager.get(address, {"group": "everything"}).status_code == 404
    assert manager.get(address, {"about": "1-x"}).status_code == 404
    assert manager.get(address, {"kind": "no.kind"}).status_code == 404
    for kind in ("word.watched", "queue.late"):  # the second has no words of its own
        assert manager.get(address, {"kind": kind}).status_code == 200
    for cursor in ("x", "1-", f"{'9' * 20}-1", "1-2-3"):
        assert manager.get(address, {"after": cursor}).status_code == 404
    answer = manager.get(address, {"since": "yesterday", "who": "hanna"})
    assert answer.status_code == 422
    assert "yesterday" in answer.content.decode()
    assert manager.get(address, {"since": "2026-02-02", "until": "2026-02-01"}).status_code == 422


def test_pages_by_keyset_lose_nothing_and_show_nothing_twice(ravi: User, alice: User, wednesday: object) -> None:
    """Many at the very same moment: the id settles their order."""
    with transaction.atomic():
        for _turn in range(7):
            looked_at(alice, ravi, "email")
    acts_of_ravi = reading.search({"who": "ravi"})
    first = reading.page_of(acts_of_ravi, size=3)
    second = reading.page_of(acts_of_ravi, after=first.older, size=3)
    third = reading.page_of(acts_of_ravi, after=second.older, size=3)
    ids = [line.event.pk for page in (first, second, third) for line in page.lines]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 7
    assert (first.newer, third.older) == ("", "")
    back = reading.page_of(acts_of_ravi, before=second.newer, size=3)
    assert [line.event.pk for line in back.lines] == ids[:3]
    assert back.newer == ""
    assert len(list(reading.in_batches(acts_of_ravi, size=2))) == 7


def test_the_file_is_safe_for_spreadsheets(manager: Client, thread: Thread, ravi: User) -> None:
    moderation.hide(thread, ravi, reason="=HYPERLINK(1)")
    response = manager.get(reverse("audit:csv"), {"who": "ravi", "group": "posts"})
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["reason"] == "'=HYPERLINK(1)"
    assert (row["user_name"], row["kind"], row["whom"]) == ("ravi", "thread.hidden", "alice")


def test_the_page_costs_the_same_however_long_it_is(
    manager: Client, alice: User, bob: User, ravi: User, duo: object, django_assert_max_num_queries: Callable
) -> None:
    def fill(times: int) -> None:
        for _turn in range(times):
            moderation.hide(factories.a_thread(alice, product=duo), ravi, reason="x")
            with transaction.atomic():
                looked_at(bob, ravi, "email")

    fill(1)
    manager.get(reverse("audit:audit"))
    with django_assert_max_num_queries(20) as one:
        manager.get(reverse("audit:audit"))
    fill(5)
    with django_assert_max_num_queries(len(one.captured_queries)):
        manager.get(reverse("audit:audit"))


def test_the_last_day_there_is_can_be_asked_for(manager: Client, thread: Thread, ravi: User) -> None:
    moderation.hide(thread, ravi, reason="Spam")
    asked = {"since": "0001-01-01", "until": "9999-12-31"}
    assert "Spam" in manager.get(reverse("audit:audit"), asked).content.decode()
    assert b"Spam" in b"".join(manager.get(reverse("audit:csv"), asked).streaming_content)


def test_a_target_that_is_gone_still_has_its_entry(hanna: User) -> None:
    rank = Rank.objects.order_by("threshold").last()
    with transaction.atomic():
        record("settings.changed", actor=hanna, subject=rank, changes={"name": ["a", "b"]})
    Rank.objects.filter(pk=rank.pk).delete()
    (line,) = reading.page_of(reading.search({"who": "hanna"})).lines
    assert str(rank.pk) in line.target
    assert line.changes == [("name", "a", "b")]


@pytest.mark.once
def test_the_past_is_marked_once(thread: Thread, ravi: User, dana: User) -> None:
    """What stood in the log before there was an audit: acts of staff are marked, looks at private details come in."""
    from importlib import import_module
    from types import SimpleNamespace

    moderation.hide(thread, ravi, reason="x")
    hidden = last()
    from community.questions.models import PrivateView

    PrivateView.objects.create(thread=thread, viewer=dana)
    with guard.lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE events_event SET act = %s, whom_id = NULL", [False])
    state = MigrationExecutor(connection).loader.project_state()
    editor = SimpleNamespace(connection=connection)
    import_module("community.audit.migrations.0001_past_acts").mark_the_past(state.apps, editor)
    guard.after_migrate()
    hidden = Event.objects.get(pk=hidden.pk)
    assert (hidden.act, hidden.whom) == (True, thread.author)
    assert Event.objects.looks_at(thread.author).get().actor == dana
    assert not Event.objects.get(kind="thread.posted").act
