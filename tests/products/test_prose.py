from wagtail.blocks import StreamValue

from products.blocks import ProseBlock
from products.prose import blocks_from_markdown, plain_text, without_ids

SOURCE = """Scale is *lime* from **hard** water; see [Water](/help/water/).

> **Warning.** Never mix `acid` with chlorine.

> An ordinary quotation.

## When

- one
- two

| Hardness | Drinks |
|---|---|
| 0–4 °dH | `once` a year |
"""


def test_each_piece_becomes_its_block() -> None:
    raw = blocks_from_markdown(SOURCE)
    assert [block["type"] for block in raw] == ["text", "warning", "text", "heading", "text", "table"]
    assert (
        raw[0]["value"] == '<p>Scale is <i>lime</i> from <b>hard</b> water; see <a href="/help/water/">Water</a>.</p>'
    )
    assert raw[1]["value"] == {"title": "Warning", "text": "<p>Never mix <code>acid</code> with chlorine.</p>"}
    assert raw[4]["value"] == "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"
    assert raw[5]["value"]["columns"][0] == {"type": "text", "heading": "Hardness"}
    assert raw[5]["value"]["rows"] == [{"values": ["0–4 °dH", "<code>once</code> a year"]}]


def test_the_same_source_gives_the_same_ids() -> None:
    assert blocks_from_markdown(SOURCE, "a") == blocks_from_markdown(SOURCE, "a")
    assert blocks_from_markdown(SOURCE, "a") != blocks_from_markdown(SOURCE, "b")
    assert without_ids(blocks_from_markdown(SOURCE, "a")) == without_ids(blocks_from_markdown(SOURCE, "b"))


def test_html_in_markdown_stays_words() -> None:
    assert "<script>" not in blocks_from_markdown("<script>alert(1)</script>")[0]["value"]


def test_every_word_is_found() -> None:
    stream = ProseBlock().to_python(blocks_from_markdown(SOURCE))
    assert isinstance(stream, StreamValue)
    words = plain_text(stream)
    for word in ("lime", "chlorine", "When", "two"):
        assert word in words
    assert "<" not in words
