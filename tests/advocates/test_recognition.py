"""Letters, the picture, thanks, quiet celebrations, neutrality; and that nobody else changes an advocate's words."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from advocates import gratitude, letters, neutrality, services
from advocates.models import Letter, Thanks
from community.accounts.models import User
from community.accounts.services import set_role
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.events.models import Event
from community.moderation import services as moderation
from community.notifications import services as notices
from community.notifications.recipients import recipients
from community.notifications.wording import words_for
from community.portability import joining, leaving
from community.posts import services as posts
from community.questions import permissions
from community.questions import services as questions
from community.questions.models import FollowUp, Readings, Thread
from community.sharing import permissions as sharing
from reviews import permissions as reviewing

from ..factories import a_person, a_product, a_recipe, a_review, a_thread, a_tip, an_answer

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def month(wednesday, alice, bob, hanna, duo, support, dana):
    """Bob's October: an answer, accepted, that held, read by 200."""
    support.lead = dana
    support.save()
    with clock.travel(datetime(2026, 9, 1, tzinfo=UTC)):
        services.admit(bob, hanna, [duo])
    with clock.travel(datetime(2026, 10, 10, tzinfo=UTC)):
        answer = an_answer(a_thread(alice, product=duo), bob)
        questions.accept_answer(answer, alice)
    for day, times in ((5, 90), (12, 150), (30, 50)):  # the first before the answer was there
        Readings.objects.create(thread=answer.thread, day=date(2026, 10, day), settled=day > 10, times=times)
    FollowUp.objects.update_or_create(
        answer=answer, defaults={"outcome": "yes", "answered_at": datetime(2026, 10, 14, tzinfo=UTC)}
    )
    return answer


def test_a_letter_says_what_came_of_a_month_once(wednesday, month, bob, dana):
    with clock.travel(datetime(2026, 11, 1, 6, tzinfo=UTC)):
        assert letters.write_all() == 1
        assert letters.write_all() == 0
    letter = Letter.objects.get()
    assert (letter.answers, letter.accepted, letter.fixes, letter.readers, letter.contacts_saved) == (1, 1, 1, 200, 10)
    assert letter.signed_by == "Dana, Customer support"
    event = Event.objects.get(kind="letter.written")
    assert recipients(event) == {bob.pk: "impact_letter"}
    words = words_for(event, "impact_letter", bob)
    assert "October 2026" in words.sentence
    assert any("of a hundred readers of an answer, 5 would" in line for line in words.lines)
    assert "impact_letter" in {kind.slug for kind in notices.kinds_for(User.objects.get(pk=bob.pk))}
    Readings.objects.create(thread=Thread.objects.get(), day=date(2026, 11, 3), settled=True, times=60)
    later = letters.write_letter(bob, date(2026, 11, 1))
    assert (later.readers, later.answers) == (60, 0)
    assert letters.write_letter(bob, date(2026, 12, 1)) is None  # nothing came of it: no letter, no reminder


def test_a_letter_forgets_who_signed_it_when_they_are_erased(month, bob, alice, dana, hanna):
    letter = letters.write_letter(bob, OCTOBER)
    leaving.erase(a_person(name="Dana"), words_go=False)  # of the same name, and never of the staff
    letter.refresh_from_db()
    assert letter.signed_by == "Dana, Customer support"
    set_role(dana, hanna, "")
    leaving.erase(User.objects.get(pk=dana.pk), words_go=False)
    letter.refresh_from_db()
    assert letter.signed_by == "Customer support"


def test_nobody_is_thanked_by_themselves(month, alice, bob, hanna):
    thanks = gratitude.thank(month, alice, "It runs again, thank you.", show=True)
    gratitude.show_thanks(thanks, bob, True)
    joining.join(alice, bob, hanna, reason="One and the same, by their word.")
    assert list(Thanks.objects.public()) == []


def test_a_letter_can_be_shared_and_checked(client, month, bob, alice, django_assert_max_num_queries):
    letter = letters.write_letter(bob, OCTOBER)
    address = letter.get_absolute_url()
    assert address.startswith("/advocates/letters/")
    with django_assert_max_num_queries(10):
        page = client.get(address).content.decode()
    assert "Readers: how often threads were read in the month" in page
    assert "This letter is genuine." in page and "Dana, Customer support" in page and "noindex" in page
    assert client.get(address.replace(f"{letter.pk}:", f"{letter.pk + 1}:")).status_code == 404
    assert client.get("/advocates/letters/nonsense/").status_code == 404
    assert "To share" not in page
    picture = client.get(f"{address}picture.png")
    assert picture["Content-Type"] == "image/png"
    assert Image.open(BytesIO(picture.content)).size == (1200, 630)
    client.force_login(bob)
    assert "To share" in client.get(address).content.decode()
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert client.get(address).status_code == 404


def test_thanks_are_between_two_until_both_like(client, month, alice, bob, charlie):
    with pytest.raises(NotAllowed):
        gratitude.thank(month, charlie, "Thank you.")
    for words in ("", "x" * 301, "See https://shop.example for more"):
        with pytest.raises(ValidationError):
            gratitude.thank(month, alice, words)
    client.force_login(alice)
    assert "Say thank you to Bob" in client.get(month.thread.get_absolute_url()).content.decode()
    url = f"/advocates/thanks/{month.pk}/"
    assert client.post(url, {"words": "It runs again, thank you.", "show": "on"}).status_code == 303
    thanks = Thanks.objects.get()
    assert gratitude.thank(month, alice, "It runs again, thank you.") == thanks
    with pytest.raises(Conflict):
        gratitude.thank(month, alice, "Other words.")
    assert recipients(Event.objects.get(kind="thanks.given")) == {bob.pk: "thanked"}
    assert list(Thanks.objects.public()) == []
    client.force_login(charlie)
    assert client.get(url).status_code == 404
    with pytest.raises(NotAllowed):
        gratitude.show_thanks(thanks, charlie, True)
    gratitude.show_thanks(thanks, bob, True)
    assert list(Thanks.objects.public()) == [thanks]
    assert "It runs again, thank you." in client.get(bob.get_absolute_url()).content.decode()
    assert client.get(url).status_code == 200


def test_thanks_are_moderated(client, month, alice, bob, ravi):
    thanks = gratitude.thank(month, alice, "Thanks, you clown.", show=True)
    gratitude.show_thanks(thanks, bob, True)
    moderation.flag(thanks, bob, reason="rude")
    moderation.hide(thanks, ravi, reason="Be kind.")
    assert list(Thanks.objects.public()) == []
    assert "you clown" not in client.get(bob.get_absolute_url()).content.decode()
    client.force_login(ravi)
    assert client.get(f"/posts/thanks/{thanks.pk}/flag/").status_code in (200, 404)
    for reason in ("A joke among friends.", "Not so kind after all."):  # shown again, and hidden once more
        done = client.post(f"/posts/thanks/{thanks.pk}/moderate/", {"reason": reason}, follow=True)
        assert done.status_code == 200 and "you clown" in done.content.decode()
    assert Event.objects.filter(kind="thanks.hidden").exists()


def test_celebrations_are_quiet_and_pass(wednesday, bob, alice, duo, client):
    assert gratitude.celebration(bob) == ""
    answer = an_answer(a_thread(alice, product=duo), bob)
    assert "first answer" in gratitude.celebration(bob)
    assert "Your first answer" not in client.get(bob.get_absolute_url()).content.decode()
    client.force_login(bob)
    assert "Your first answer" in client.get(bob.get_absolute_url()).content.decode()
    FollowUp.objects.create(answer=answer, outcome="yes", answered_at=wednesday)
    for _ in range(9):
        one = an_answer(a_thread(alice, product=duo), bob)
        FollowUp.objects.create(answer=one, outcome="yes", answered_at=wednesday)
    assert gratitude.celebration(bob) == "10 of your fixes have held."
    with clock.travel(wednesday + timedelta(days=8)):
        assert gratitude.celebration(bob) == ""


def test_a_profile_shows_how_neutral_somebody_is(client, month, bob, django_assert_max_num_queries):
    for stars in (1, 4, 5):
        a_review(bob, a_product(), stars=stars)
    services.declare_interest(
        bob, bob, kind="payment", line="Paid for a test.", since=date(2026, 10, 1), until=date(2026, 10, 31)
    )
    found = neutrality.of(User.objects.get(pk=bob.pk))
    assert (found.low, found.high, found.reviews) == (1, 2, 3)
    assert (found.tied, found.contributions, found.tied_percent) == (1, 4, 25)
    client.get(bob.get_absolute_url())
    with django_assert_max_num_queries(25):
        page = client.get(bob.get_absolute_url()).content.decode()
    assert "How neutral" in page and "Paid for a test." in page and "31 Oct 2026" in page


def test_staff_change_no_review_recipe_tip_or_comment(month, bob, dana, hanna, ravi, duo):
    review, recipe, tip = a_review(bob, duo), a_recipe(bob), a_tip(bob)
    comment = posts.comment(month.thread, bob, body="Twice a year does it.")
    for person in (dana, hanna, ravi):
        assert reviewing.why_not_edit(person, review)
        assert sharing.why_not_edit(person, recipe) and sharing.why_not_edit(person, tip)
        with pytest.raises(NotAllowed):
            posts.edit_comment(comment, person, body="Once is enough.")


def test_nobody_else_changes_an_advocates_words(month, bob, dana, hanna, ravi, duo, charlie, alice, client, enrol):
    """Staff hide, with a reason; they never edit, nor take an edit over. Neither do members, however many points."""
    User.objects.filter(pk=charlie.pk).update(reputation=5000)
    month.author.refresh_from_db()
    editor = a_person("ed")
    set_role(editor, None, "editor")
    people = [dana, hanna, ravi, User.objects.get(pk=editor.pk), User.objects.get(pk=charlie.pk)]
    for person in people:
        assert permissions.why_not_edit(person, month)
        with pytest.raises(NotAllowed):
            questions.edit_answer(month, person, body="Buy a new one; that is what I would do.", summary="Better.")
        client.force_login(person)
        assert client.post(f"/answers/{month.pk}/edit/", {"body": "Buy a new one."}).status_code in (403, 404)
    suggestion = questions.suggest_edit(
        month, User.objects.get(pk=charlie.pk), body=month.body_source + " And wait for an hour.", summary="More."
    )
    for person in (dana, hanna):
        with pytest.raises(NotAllowed):
            questions.approve_suggestion(suggestion, person)
    questions.approve_suggestion(suggestion, User.objects.get(pk=bob.pk))
    enrol(hanna)
    client.force_login(hanna)
    for model in ("thread", "answer"):  # no screen of the admin edits what members write
        assert client.get(f"/admin/snippets/questions/{model}/edit/{month.pk}/").status_code == 404
    moderation.hide(month, ravi, reason="It names somebody's address.")
    month.refresh_from_db()
    assert month.hidden_reason == "It names somebody's address."
