"""Tags and their other words: typed, renamed, merged; no old word and no old address is lost."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts.models import User
from community.core.errors import Conflict, NotAllowed
from community.events.models import Event
from community.posts import curating, services, tagging
from community.posts.models import Follow, Tag, TagSynonym
from community.questions import services as questions
from community.search import documents
from community.search.models import Document
from tests import factories

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def slugs(thread: object) -> set[str]:
    return {tag.slug for tag in thread.tags.all()}  # type: ignore[attr-defined]


def test_a_typed_synonym_becomes_the_main_tag(alice: User) -> None:
    factories.a_tag("descaling", synonyms=("chalk", "limescale"))
    factories.a_tag("steam")
    thread = factories.a_thread(alice, tags=["Chalk", "limescale", "steam", "descaling", "steam", "chalk"])
    assert slugs(thread) == {"descaling", "steam"}, "three words for one tag count once"
    with pytest.raises(ValidationError):
        factories.a_thread(alice, tags=["chalk", "unheard-of"])
    assert [known.slug for known in tagging.suggested("Chalk everywhere")] == ["descaling"]


def test_moderators_make_and_rename_tags_and_the_old_name_leads_on(alice: User, ravi: User, client: Client) -> None:
    with pytest.raises(NotAllowed):
        curating.save_tag(Tag(name="Kettles"), alice)
    tag = curating.save_tag(Tag(name="Kettles"), ravi, synonyms=["Pot", " pot ", "kettles", ""])
    assert (tag.name, tag.slug, [word.slug for word in tag.synonyms.all()]) == ("kettles", "kettles", ["pot"])
    thread = factories.a_thread(alice, tags=["pot"])
    tag.name = "Water kettle"
    curating.save_tag(tag, ravi, synonyms=["pot"])
    assert {word.slug for word in tag.synonyms.all()} == {"pot", "kettles"}
    for word in ("pot", "kettles"):
        moved = client.get("/questions/", {"tag": word, "sort": "newest"})
        assert (moved.status_code, moved["Location"]) == (301, "/questions/?tag=water-kettle&sort=newest")
        assert client.get(reverse("questions:feed_tag", args=[word])).status_code == 200
    assert thread.title in client.get("/questions/?tag=water-kettle").content.decode()
    assert client.get("/questions/?tag=nothing").status_code == 404
    assert client.get("/recipes/?tag=pot")["Location"] == "/recipes/?tag=water-kettle"
    documents.index_changes()
    text = Document.objects.get(target_id=thread.pk, kind="question").text
    assert "water kettle" in text and "kettles" in text
    tag.name = "Kettles"  # back again
    curating.save_tag(tag, ravi, synonyms=["pot", "water kettle"])
    assert {word.slug for word in tag.synonyms.all()} == {"pot", "water-kettle"}


def test_a_word_is_a_word_for_one_tag(ravi: User) -> None:
    steam, foam = factories.a_tag("steam", synonyms=("vapour",)), factories.a_tag("foam")
    for synonyms, said in ((["steam"], "a tag of its own"), (["vapour"], "another word for “steam”")):
        with pytest.raises(ValidationError, match=said):
            curating.save_tag(foam, ravi, synonyms=synonyms)
    for name, said in (("Steam", "Merge the two"), ("vapour", "another word for “steam”"), (" # ", "a name")):
        with pytest.raises(ValidationError, match=said):
            curating.save_tag(Tag(name=name), ravi)
    assert (TagSynonym.objects.get().tag, Tag.objects.count()) == (steam, 2)


def test_merging_moves_everything_once_and_the_name_leads_on(alice: User, bob: User, ravi: User) -> None:
    chalk, scale = factories.a_tag("chalk", synonyms=("lime",)), factories.a_tag("descaling")
    both = factories.a_thread(alice, tags=["chalk", "descaling"])
    one = factories.a_thread(alice, tags=["chalk"])
    recipe = factories.a_recipe(bob, tags=["chalk"])
    for person, tags in ((alice, (chalk,)), (bob, (chalk, scale))):
        for tag in tags:
            services.follow(tag, person)
    services.follow(scale, bob, Follow.Level.MUTED)
    documents.index_changes()
    with pytest.raises(NotAllowed):
        curating.merge_tag(chalk, scale, alice)
    with pytest.raises(ValidationError):
        curating.merge_tag(chalk, chalk, ravi)
    gone = Tag(pk=chalk.pk)
    curating.merge_tag(chalk, scale, ravi)
    with pytest.raises(Conflict):
        curating.merge_tag(gone, scale, ravi)
    assert slugs(both) == slugs(one) == {"descaling"} and [tag.slug for tag in recipe.tags.all()] == ["descaling"]
    assert {word.slug for word in scale.synonyms.all()} == {"chalk", "lime"}
    levels = dict(Follow.objects.filter(target_id=scale.pk, user__in=(alice, bob)).values_list("user", "level"))
    assert levels == {alice.pk: "watching", bob.pk: "muted"}
    event = Event.objects.get(kind="tag.changed")
    assert (event.actor, event.subject, event.data) == (ravi, scale, {"what": "merged", "merged": gone.pk})
    assert documents.index_changes() >= 3
    assert slugs(factories.a_thread(alice, tags=["lime"])) == {"descaling"}


def test_a_suggestion_that_knows_the_old_tag_is_no_clash(alice: User, ravi: User) -> None:
    chalk, scale = factories.a_tag("chalk"), factories.a_tag("descaling")
    thread = factories.a_thread(alice, tags=["chalk"])
    edith = factories.a_person()
    User.objects.filter(pk=edith.pk).update(reputation=150)
    edith.refresh_from_db()
    row = questions.suggest_edit(
        thread,
        edith,
        title="Why does it drip at night only",
        body=thread.body_source,
        tags=["chalk"],
        summary="Clearer",
    )
    curating.merge_tag(chalk, scale, ravi)
    questions.approve_suggestion(row, alice)
    thread.refresh_from_db()
    assert (thread.title, slugs(thread)) == ("Why does it drip at night only", {"descaling"})


def test_the_screen_in_the_admin(alice: User, ravi: User, dana: User, enrol) -> None:
    steam = factories.a_tag("steam", synonyms=("vapour",))
    factories.a_thread(alice, tags=["steam"])
    for person in (ravi, dana):
        enrol(person)
    moderator = signed_in(ravi)
    listed = moderator.get("/admin/tags/").content.decode()
    assert "steam" in listed and "vapour" in listed
    assert moderator.get("/admin/tags/?q=vapour").content.decode().count("/admin/tags/edit/") >= 1
    sent = {"name": "Foam", "topic": "", "about": "", "synonyms": "froth, vapour"}
    refused = moderator.post("/admin/tags/new/", sent)
    assert "another word for “steam” already" in refused.content.decode() and "froth" in refused.content.decode()
    assert moderator.post("/admin/tags/new/", {**sent, "synonyms": "froth"}).status_code == 302
    foam = Tag.objects.get(slug="foam")
    page = moderator.get(f"/admin/tags/edit/{foam.pk}/").content.decode()
    assert "froth" in page and f"/admin/tags/{foam.pk}/merge/" in page
    assert moderator.get(f"/admin/tags/delete/{foam.pk}/").status_code in (302, 403, 404)
    place = f"/admin/tags/{foam.pk}/merge/"
    assert moderator.post(place, {"into": foam.pk}).status_code == 422
    assert moderator.get(place).status_code == 200
    assert moderator.post(place, {"into": steam.pk})["Location"] == f"/admin/tags/edit/{steam.pk}/"
    assert {word.slug for word in steam.synonyms.all()} == {"vapour", "foam", "froth"}
    for address in ("/admin/tags/", "/admin/tags/new/", f"/admin/tags/{steam.pk}/merge/"):
        assert signed_in(dana).get(address).status_code in (302, 403)
        assert signed_in(alice).get(address).status_code in (302, 403)
