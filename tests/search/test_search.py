"""What is found, what may be found, and what odd queries do."""

from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import translation

from community.accounts.services import edit_profile
from community.core import clock
from community.moderation import services as moderation
from community.questions import services as questions
from community.questions.models import Thread
from community.search import alike, documents, engine, words
from community.search.models import Deflection, Document, IndexChange, Spelling
from reviews import services as reviews
from tests.factories import a_person, a_product, a_recipe, a_review, a_thread, a_tip, an_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def drip(alice, duo):
    thread = a_thread(alice, product=duo, title="Steam wand keeps dripping after closing", kind="problem")
    documents.index_changes()
    return thread


def found(query, user=None, **how):
    return [document.target for document in engine.search(engine.parse(query, **how), user=user).documents]


class TestIndex:
    def test_a_thread_is_found_by_its_words_and_its_answers(self, drip, bob):
        an_answer(drip, bob, body="The spindle disc has a groove; change it, and all is well again.")
        documents.index_changes()
        assert found("steam wand") == [drip]
        assert found("spindle groove") == [drip]
        assert found("espresso") == []

    def test_private_details_are_never_found(self, alice):
        a_thread(alice, private={"serial": "DU2031877", "note": "zebrafish"})
        documents.index_changes()
        assert found("DU2031877") == found("zebrafish") == []

    def test_hidden_is_gone_at_once_and_comes_back(self, drip, ravi, alice):
        moderation.hide(drip, ravi, reason="Personal data")
        assert not Document.objects.exists(), "in the very transaction"
        documents.index_changes()
        assert found("steam wand") == []
        moderation.restore(drip, ravi)
        documents.index_changes()
        assert found("steam wand") == [drip]

    def test_a_stale_document_shows_nobody_what_is_hidden(self, drip, bob):
        type(drip).objects.filter(pk=drip.pk).update(visibility="hidden")
        assert Document.objects.exists()
        assert found("steam wand", user=bob) == []

    def test_hidden_answers_leave_the_document(self, drip, bob, ravi):
        answer = an_answer(drip, bob, body="Pour boiling water over the electronics, works for me.")
        documents.index_changes()
        assert found("electronics") == [drip]
        moderation.hide(answer, ravi, reason="Dangerous")
        documents.index_changes()
        assert found("electronics") == []

    def test_many_changes_are_one_row_and_twice_is_harmless(self, drip, bob):
        for _ in range(3):
            documents.note_change(drip)
        assert IndexChange.objects.count() == 1
        assert documents.index_changes() == 1
        assert documents.index_changes() == 0
        assert Document.objects.count() == 1

    def test_rebuild_makes_what_is_public_and_drops_the_rest(self, drip, alice, ravi):
        other = a_thread(alice)
        moderation.hide(other, ravi, reason="Spam")
        Document.objects.all().delete()
        Document.objects.create(
            target_type_id=1, target_id=999, kind="tip", title="A ghost", url="/", created_at=clock.now(),
            active_at=clock.now(),
        )  # fmt: skip
        assert documents.rebuild() == (1, 1)
        assert found("steam wand") == [drip]


class TestQueries:
    @pytest.mark.parametrize(
        "query",
        ['"', "''", "a AND", "NOT", "NEAR(", "title:secret", "*", "steam*", "\x00", "%", "(((", "is:", "is:solved",
         "product:duo", "ü" * 300, "🫖", "' OR 1=1 --", "{!xml}", "^", "-wand", "\ud800", "a" * 5000],
    )  # fmt: skip
    def test_odd_queries_are_answered(self, client, drip, query):
        answer = client.get(reverse("search:results"), {"q": query.encode("utf-8", "replace").decode()})
        assert answer.status_code == 200

    def test_filters_in_the_query(self, drip, bob, alice):
        other = a_thread(alice, product=a_product("uno"), title="Steam wand of the Uno is too short")
        documents.index_changes()
        assert set(found("steam wand")) == {drip, other}
        assert found("steam wand product:duo") == [drip]
        assert found("steam wand is:solved") == []
        questions.accept_answer(an_answer(drip, bob), alice)
        documents.index_changes()
        assert found("steam wand is:solved") == [drip]
        assert found("steam", kind="problem") == [drip]

    @pytest.mark.parametrize("name", ["q", "product", "kind", "page"])
    def test_a_nul_in_any_part_is_no_error(self, client, drip, name):
        told = {"q": "steam", name: "\x00"}
        assert client.get(reverse("search:results"), told).status_code in (200, 404)
        matches = client.get(reverse("search:matches"), {"title": "Steam wand keeps dripping", "product": "\x00"})
        assert matches.status_code == 200

    @pytest.mark.parametrize(
        ("asked", "title"),
        [("leaks", "The tank is leaking at the seam"), ("descale", "How often is descaling needed here"),
         ("Muehlen", "Die Mühle mahlt viel zu grob"), ("muhle", "Die Mühle mahlt viel zu grob"),
         ("does the mill grind", "Which mill is best for grinding by hand")],
    )  # fmt: skip
    def test_other_forms_of_a_word(self, client, alice, asked, title):
        thread = a_thread(alice, title=title)
        documents.index_changes()
        assert found(asked) == [thread]
        assert "<mark>" in client.get(reverse("search:results"), {"q": asked}).content.decode()

    def test_some_words_where_nothing_has_all(self, drip):
        result = engine.search(engine.parse("steam wand elephant"), user=None)
        assert [document.target for document in result.documents] == [drip]
        assert result.loosened

    def test_counts_of_kinds(self, drip, alice):
        a_thread(alice, title="Is steam wet or dry, in your opinion")
        documents.index_changes()
        kinds = engine.search(engine.parse("steam"), user=None).kinds
        assert {kind: count for kind, _label, count in kinds} == {"problem": 1, "question": 1}

    def test_pages_that_are_not_there(self, client, drip):
        for page in ("2", "0", "-1", "x", "999999"):
            assert client.get(reverse("search:results"), {"q": "steam", "page": page}).status_code == 404


class TestOrder:
    """At similar relevance what settles a question stands before what only tells of one."""

    @pytest.fixture
    def gasket(self, alice, bob, dana, ravi, duo, support):
        worn = "The gasket, the gasket, the gasket: it has worn out after a year, and I am not pleased with it at all."
        said = {
            "review": a_review(bob, duo, title="Gasket!", body=worn),
            "open": a_thread(alice, product=duo, title="Is the gasket meant to squeak"),
            "solved": a_thread(alice, product=duo, title="Which gasket fits the older group head of my machine"),
            "official": a_thread(alice, product=duo, title="Does the warranty cover a gasket that has worn out"),
        }
        questions.accept_answer(an_answer(said["solved"], bob), alice)
        questions.make_official(an_answer(said["official"], dana), dana, support)
        if not said["review"].is_visible:
            reviews.publish_review(said["review"], ravi)
        documents.rebuild()
        return said

    def test_one_word(self, gasket):
        rows = found("gasket")
        assert rows.index(gasket["official"]) < rows.index(gasket["solved"]) < rows.index(gasket["review"])
        assert set(rows) == set(gasket.values())

    def test_a_help_article_stands_first_and_a_word_of_the_text_behind_one_of_the_title(self, gasket, alice, bob):
        aside = a_thread(
            alice, title="Coffee is cold in the morning", body="I changed the gasket, and it is cold still."
        )
        questions.accept_answer(an_answer(aside, bob), alice)
        documents.index_changes()
        thread = ContentType.objects.get_for_model(Thread)
        article = Document.objects.get(target_type=thread, target_id=gasket["open"].pk)
        Document.objects.filter(pk=article.pk).update(kind="help")
        rows = found("gasket")
        assert rows[0] in (gasket["open"], gasket["official"])
        assert rows.index(gasket["open"]) < rows.index(gasket["solved"])
        assert rows[-1] == aside

    def test_the_same_on_every_page_and_nothing_twice(self, alice):
        for number in range(25):
            a_thread(alice, title=f"The gasket of machine number {number}")
        documents.index_changes()
        asked = engine.parse("gasket")
        pages = [engine.search(asked, user=None, page=page).documents for page in (1, 2)]
        assert [len(page) for page in pages] == [20, 5]
        assert len({row.pk for page in pages for row in page}) == 25


class TestPage:
    def test_what_is_said_of_a_thing_is_in_the_readers_language(self, client, bob, duo):
        tip = a_tip(bob, title="Steam without splashing")
        type(tip).objects.filter(pk=tip.pk).update(worked_yes=3, worked_no=1)
        with translation.override("de"):
            documents.rebuild()  # whatever language the worker speaks
        page = client.get(reverse("search:results"), {"q": "splashing"}, HTTP_ACCEPT_LANGUAGE="en")
        assert "worked for 3 of 4" in page.content.decode()
        with translation.override("de"):
            documents.rebuild()
            assert "3 von 4" in Document.objects.get(kind="tip").said_now
        duo.rating_count, duo.rating_sum = 3, 13
        row = Document(kind="product", product=duo)
        assert row.said_now == "4.3 from 3 reviews"

    def test_an_empty_result_offers_to_ask_with_the_words(self, client):
        page = client.get(reverse("search:results"), {"q": "purple elephants"}).content.decode()
        assert "Nothing found" in page
        assert "title=purple+elephants" in page

    def test_found_words_are_marked_and_hostile_ones_inert(self, client, alice):
        a_thread(alice, title="A <script>alert(1)</script> steam question")
        documents.index_changes()
        page = client.get(reverse("search:results"), {"q": "steam <script>"}).content.decode()
        assert "<mark>steam</mark>" in page
        assert "<script>alert" not in page

    def test_the_query_count_does_not_grow(self, client, alice, django_assert_max_num_queries):
        for number in range(12):
            thread = a_thread(alice, title=f"Steam wand question number {number}")
            questions.accept_answer(an_answer(thread, a_person()), alice)
        documents.index_changes()
        client.get(reverse("search:results"), {"q": "steam"})
        with django_assert_max_num_queries(12):
            page = client.get(reverse("search:results"), {"q": "steam wand"}).content.decode()
        assert page.count('class="result') >= 12


class TestMatches:
    def test_matches_from_ten_characters_with_the_answer_in_place(self, client, drip, bob, alice):
        questions.accept_answer(an_answer(drip, bob, body="Change the **spindle disc**, it has a groove."), alice)
        documents.index_changes()
        short = client.get(reverse("search:matches"), {"title": "steam wan"}).content.decode()
        assert "match" not in short
        full = client.get(reverse("search:matches"), {"title": "my steam wand drips after I close it"}).content.decode()
        assert drip.title in full
        assert "<strong>spindle disc</strong>" in full
        assert "This solved it" not in full, "a page without a form has no token to say it with"
        client.get(reverse("questions:ask"))
        full = client.get(reverse("search:matches"), {"title": "my steam wand drips after I close it"}).content.decode()
        assert "This solved it" in full

    @pytest.mark.parametrize(
        "title",
        ["Steam wnad keeps dripping after closing", "after closing, the steam wand keeps dripping",
         "Steam wands keep dripping", "dripping steam wand"],
    )  # fmt: skip
    def test_typos_order_and_plurals_still_find_it(self, drip, alice, title):
        for number in range(5):
            a_thread(alice, title=f"Which water for coffee number {number}")
        documents.index_changes()
        assert engine.similar(title, user=alice)[0].target == drip

    def test_a_look_with_a_null_in_its_name_is_counted(self, client, drip):
        client.post(reverse("search:solved_it", args=[drip.pk]), {"title": "my steam wand drips", "ask": "a\x00b"})
        assert Deflection.objects.get().ask == "ab"

    def test_words_that_fold_to_nothing_find_nothing(self, client, drip):
        assert words.every_stem("\u037a \ufe70") == []
        assert client.get("/search/", {"q": "\u037a"}).status_code == 200

    def test_this_solved_it_is_counted_without_a_person(self, client, drip, alice):
        client.force_login(alice)
        address = reverse("search:solved_it", args=[drip.pk])
        assert client.get(address).status_code == 405
        assert client.post(address, {"title": "my steam wand drips"}).status_code == 302
        row = Deflection.objects.get()
        assert (row.thread, row.typed) == (drip, "my steam wand drips")
        assert not any(field.name in ("user", "person", "ip") for field in Deflection._meta.fields)

    def test_what_was_typed_is_erased_after_thirty_days(self, client, drip):
        client.post(reverse("search:solved_it", args=[drip.pk]), {"title": "my steam wand drips"})
        Deflection.objects.update(at=clock.now() - documents.WORDS_KEPT - documents.WORDS_KEPT / 30)
        documents.forget_words()
        assert Deflection.objects.get().typed == ""

    def test_hidden_threads_never_match(self, client, drip, ravi):
        moderation.hide(drip, ravi, reason="Spam")
        assert drip.title not in client.get(reverse("search:matches"), {"title": drip.title}).content.decode()

    def test_beside_a_thread_stand_others_like_it(self, client, drip, alice, ravi):
        like = a_thread(alice, title="Steam wand dripping since the last cleaning")
        hidden = a_thread(alice, title="Steam wand dripping and hidden from all")
        moderation.hide(hidden, ravi, reason="Spam")
        documents.index_changes()
        page = client.get(reverse("search:similar", args=[drip.pk])).content.decode()
        assert like.title in page
        assert hidden.title not in page
        assert drip.title not in page

    def test_where_nothing_is_like_it_stands_what_was_settled_about_the_product(self, client, alice, bob, ravi, duo):
        lonely = a_thread(alice, product=duo, title="Which grinder setting suits a Kenyan?")
        settled, gone, _still = (
            a_thread(alice, product=duo, title=title)
            for title in ("Descaling twice a month", "Water tank smells of plastic", "Lever loose on its axle")
        )
        for one in (settled, gone):
            questions.accept_answer(an_answer(one, bob), alice)
        moderation.hide(gone, ravi, reason="Spam")
        page = client.get(reverse("search:similar", args=[lonely.pk])).content.decode()
        assert "Nobody has asked anything like it yet." in page and settled.title in page
        assert gone.title not in page and "Lever loose" not in page and lonely.title not in page


def test_a_change_that_waits_is_written_again_and_so_held(drip):
    """A worker that takes it meanwhile waits for the new words, and does not index the old ones."""
    documents.note_change(drip)
    before = IndexChange.objects.get()
    with clock.travel(clock.now() + timedelta(minutes=1)):
        documents.note_change(drip)
    after = IndexChange.objects.get()
    assert after.pk == before.pk and after.at > before.at


def test_what_is_written_now_does_not_wait_behind_a_rebuild(alice, monkeypatch):
    monkeypatch.setattr(documents, "AT_ONCE", 2)
    for _ in range(8):
        a_thread(alice)
    with clock.travel(clock.now() + timedelta(minutes=1)):
        new = a_thread(alice, title="Which descaler is the right one for it")
    documents.index_changes(limit=4)
    assert Document.objects.filter(target_id=new.pk, kind="question").exists()
    documents.index_changes()
    assert not IndexChange.objects.exists() and Document.objects.filter(kind="question").count() == 9


def test_words_are_tidied_when_no_title_has_them(alice):
    thread = a_thread(alice, title="Which descaler is the right one for it")
    documents.index_changes()
    assert alike.tidy() == 0
    moderation.delete(thread, alice)
    documents.index_changes()
    assert alike.tidy() > 0 and not Spelling.objects.exists()


def test_who_goes_by_another_name_is_named_by_it(bob, duo):
    for make in (a_review, a_recipe):
        make(bob)
    documents.index_changes()
    edit_profile(bob, name="B. F.", about="", city="")
    documents.index_changes()
    said = Document.objects.filter(kind__in=("review", "recipe")).values_list("said", flat=True)
    assert list(said) == ["B. F.", "B. F."]
