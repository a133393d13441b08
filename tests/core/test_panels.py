from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Permission
from django.template import Context, RequestContext, Template

from community.core import panels


@dataclass(frozen=True)
class Thing:
    pk: int


class Name(panels.Panel):
    template = "t/name.html"
    calls = 0

    def context(self, request, batch):
        Name.calls += 1
        return {thing.pk: {"name": f"<{thing.pk}>"} for thing in batch if thing.pk != 3}


class Early(Name):
    order = 1
    template = "t/early.html"


class Broken(panels.Panel):
    template = "t/name.html"

    def context(self, request, batch):
        raise RuntimeError("the app above is broken")


class Greedy(panels.Panel):
    template = "t/name.html"
    query_budget = 1

    def context(self, request, batch):
        for _ in range(2):
            list(Permission.objects.all()[:1])
        return {thing.pk: {"name": "greedy"} for thing in batch}


@pytest.fixture
def slot(monkeypatch, settings, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t/name.html").write_text("[{{ name }} of {{ object.pk }}]")
    (tmp_path / "t/early.html").write_text("early ")
    (tmp_path / "t/_row.html").write_text('{% load panels %}{% panels "thread.byline" thing %}')
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path], "OPTIONS": {"builtins": ["django.templatetags.i18n"]}}
    ]
    settings.DEBUG = False
    settings.PANELS_STRICT = False
    monkeypatch.setattr(panels, "_panels", {})
    Name.calls = 0
    return "thread.byline"


BATCH = [Thing(1), Thing(2), Thing(3)]


def test_one_call_for_the_whole_batch_in_order_and_escaped(slot, rf):
    panels.register(slot, Name())
    panels.register(slot, Early())
    shown = panels.render(slot, rf.get("/"), [*BATCH, Thing(1)])
    assert shown == {1: "early [&lt;1&gt; of 1]", 2: "early [&lt;2&gt; of 2]", 3: ""}
    assert Name.calls == 2


def test_registering_twice_shows_once(slot):
    panels.register(slot, Name())
    panels.register(slot, Name())
    assert len(panels.registered(slot)) == 1


def test_an_unknown_slot_is_refused(slot):
    with pytest.raises(ValueError, match="no slot"):
        panels.register("thread.nonsense", Name())
    panels.register("home.anything", Name())


def test_a_failing_panel_is_left_out_and_logged(slot, rf, caplog):
    panels.register(slot, Broken())
    panels.register(slot, Name())
    assert panels.render(slot, rf.get("/"), BATCH)[1] == "[&lt;1&gt; of 1]"
    assert "Broken" in caplog.text


def test_a_failing_panel_raises_when_strict(slot, rf, settings):
    settings.PANELS_STRICT = True
    panels.register(slot, Broken())
    with pytest.raises(RuntimeError):
        panels.render(slot, rf.get("/"), BATCH)


@pytest.mark.django_db
def test_the_query_budget_holds(slot, rf, settings, monkeypatch):
    said = []
    monkeypatch.setattr(panels.logger, "warning", said.append)
    panels.register(slot, Greedy())
    assert panels.render(slot, rf.get("/"), BATCH)[1] == "[greedy of 1]"
    assert len(said) == 1 and "its budget is 1" in said[0]
    settings.PANELS_STRICT = True
    with pytest.raises(panels.BudgetExceeded):
        panels.render(slot, rf.get("/"), BATCH)


def test_tags_prepare_once_and_reach_into_fragments(slot, rf):
    panels.register(slot, Name())
    page = Template(
        '{% load panels %}{% panels_for "thread.byline" things %}'
        '{% for thing in things %}{% include "t/_row.html" with thing=thing only %}{% endfor %}'
    )
    html = page.render(RequestContext(rf.get("/"), {"things": BATCH}))
    assert html == "[&lt;1&gt; of 1][&lt;2&gt; of 2]"
    assert Name.calls == 1


def test_a_single_thing_needs_no_preparation_nor_a_request(slot, rf):
    panels.register(slot, Name())
    row = Template('{% load panels %}{% panels "thread.byline" thing %}')
    assert row.render(RequestContext(rf.get("/"), {"thing": Thing(7)})) == "[&lt;7&gt; of 7]"
    assert row.render(Context({"thing": Thing(7)})) == "[&lt;7&gt; of 7]"


def test_a_page_slot_without_a_thing(slot, rf):
    class Top(panels.Panel):
        template = "t/early.html"

        def context(self, request, batch):
            return {None: {}}

    panels.register("home.top", Top())
    assert Template('{% load panels %}{% panels "home.top" %}').render(RequestContext(rf.get("/"))) == "early "
