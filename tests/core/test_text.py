import re
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from community.core import text

from .hostile import NAUGHTY, PATHOLOGICAL, XSS

pytestmark = pytest.mark.once

DOORS = {
    "markdown": lambda source: text.render_markdown(source, known_users={"bob"}, limit=None),
    "plain": lambda source: text.render_plain(source, known_users={"bob"}),
    "html": lambda source: text.render_html(source, base_url="https://old.example/"),
}
ALLOWED = {
    "a": {"href", "title", "class", "rel"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "abbr": {"title"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "class"},
    "th": {"colspan", "rowspan", "class"},
}


class Inspector(HTMLParser):
    """Reads the output as a browser would and notes all that should not be there."""

    def __init__(self):
        super().__init__()
        self.wrong = []

    def handle_starttag(self, tag, attrs):
        if tag not in text.ELEMENTS | text.MATHML:
            self.wrong.append(tag)
        for name, value in attrs:
            if name not in ALLOWED.get(tag, set()) | text.MATH_ATTRIBUTES.get(tag, set()):
                self.wrong.append(f"{tag} {name}")
            if name == "href" and urlsplit(value.strip()).scheme not in ("http", "https", "mailto", ""):
                self.wrong.append(value)
            if name == "src" and (not value.startswith("/media/") or ".." in value or "%2e" in value):
                self.wrong.append(value)
            if name == "class" and value not in ("mention", "center", "right"):
                self.wrong.append(f"class {value}")
        if tag == "a" and "href" in dict(attrs) and dict(attrs).get("rel") != text.LINK_REL:
            self.wrong.append(f"rel {attrs}")

    def handle_comment(self, data):
        self.wrong.append("comment")

    handle_decl = handle_pi = unknown_decl = handle_comment


def wrong_in(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    return inspector.wrong


def test_the_inspector_finds_what_is_wrong():
    for bad in ("<script>", "<p onclick=x>", "<a href='javascript:x'>", "<img src='//evil.example/'>", "<!-- -->"):
        assert wrong_in(bad), bad


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("vector", XSS)
def test_hostile_markup_is_inert(door, vector):
    for source in (vector, f"Words before {vector} and after", f"- {vector}\n\n> {vector}", vector * 3):
        assert wrong_in(DOORS[door](source).html) == []


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", PATHOLOGICAL)
def test_pathological_documents_stay_in_bounds(door, name):
    source = PATHOLOGICAL[name]
    for _another_try in range(3):  # a busy machine makes even the processor's time longer
        started = time.process_time()
        rendered = DOORS[door](source)
        if (took := time.process_time() - started) < 2:
            break
    assert took < 2, f"{took:.1f} s"
    assert len(rendered.html) <= 20 * len(source) + 200
    assert wrong_in(rendered.html) == []
    rendered.html.encode()


@pytest.mark.parametrize("door", DOORS)
def test_only_attributes_that_are_listed_for_their_element(door):
    html = DOORS[door]('<p title="x" lang="de">Words</p> <a href="https://example.org/" lang="de">there</a>').html
    assert wrong_in(html) == []


@pytest.mark.parametrize("sample", NAUGHTY)
def test_odd_words_come_through(sample):
    words = "".join(unicodedata.normalize("NFC", sample).split()).replace("*", "").replace("_", "")
    for door in ("plain", "markdown"):
        shown = "".join(DOORS[door](sample).text.split())
        for letter in words:
            if letter.isalpha():
                assert letter in shown


@hypothesis_settings(max_examples=150, deadline=None, database=None)
@given(
    st.lists(
        st.one_of(st.sampled_from(XSS), st.text(max_size=12), st.sampled_from(list("<>\"'`$[](){}!*_~|\\&#@:/\n -="))),
        max_size=12,
    ).map("".join)
)
def test_nothing_made_of_hostile_pieces_gets_through(source):
    for door in DOORS.values():
        rendered = door(source)
        assert wrong_in(rendered.html) == []
        rendered.html.encode(), rendered.text.encode()


@hypothesis_settings(max_examples=100, deadline=None, database=None)
@given(st.text(st.characters(), max_size=200))
def test_cleaning_is_settled_at_once(source):
    once = text.clean_source(source)
    assert text.clean_source(once) == once
    line = text.clean_line(source)
    assert text.clean_line(line) == line
    assert "\n" not in line and line == line.strip()
    once.encode()


# What a post may do -----------------------------------------------------------------------------------------


def test_markdown_in_full():
    html = text.render_markdown(
        "# Title\n\n## Second\n\nA *b* **c** ~~d~~ `e` [f](https://x.example)\n\n- g\n\n1. h\n\n> i\n\n```\nj\n```\n\n"
        "|k|l|\n|-:|:-:|\n|m|n|\n"
    ).html
    for piece in (
        "<h3>Title</h3>",
        "<h4>Second</h4>",
        "<em>b</em>",
        "<strong>c</strong>",
        "<s>d</s>",
        "<code>e</code>",
        '<a href="https://x.example" rel="nofollow ugc noopener">f</a>',
        "<ul>\n<li>g</li>",
        "<ol>\n<li>h</li>",
        "<blockquote>",
        "<pre><code>j\n</code></pre>",
        '<th class="right">k</th>',
        '<td class="center">n</td>',
    ):
        assert piece in html


def test_html_in_markdown_is_shown_as_text():
    assert text.render_markdown("<b>x</b>").html == "<p>&lt;b&gt;x&lt;/b&gt;</p>"


def test_addresses_become_links_and_count():
    rendered = text.render_markdown("See https://x.example/a_b and /questions/1/ and [in](/tips/2/)")
    assert rendered.links == ("https://x.example/a_b",)
    assert '<a href="/tips/2/"' in rendered.html


def test_our_pictures_are_shown_foreign_ones_are_links():
    rendered = text.render_markdown("![cup](/media/cup.webp) ![pot](https://x.example/pot.png)")
    assert '<img src="/media/cup.webp" alt="cup" loading="lazy">' in rendered.html
    assert '<a href="https://x.example/pot.png" rel="nofollow ugc noopener">pot</a>' in rendered.html
    assert rendered.images == ("/media/cup.webp",)
    assert rendered.links == ("https://x.example/pot.png",)
    assert rendered.text == "cup pot"


def test_a_foreign_picture_within_a_link_leaves_its_words():
    html = text.render_markdown("[![pot](https://x.example/pot.png)](https://x.example/)").html
    assert html == '<p><a href="https://x.example/" rel="nofollow ugc noopener">pot</a></p>'


@pytest.mark.parametrize("said", ["enter image description here", "Image", ""])
def test_a_foreign_picture_nobody_described_is_called_by_where_it_is(said):
    html = text.render_html(f'<p><img src="https://i.example/pot.png" alt="{said}"></p>').html
    assert '<a href="https://i.example/pot.png" rel="nofollow ugc noopener">Picture at i.example</a>' in html


def test_bars_stand_close_to_what_they_hold():
    """A ket, |11>: MathML gives a bar the room of a plus, unless it is told not to."""
    html = text.render_html(r"<p>$|11\rangle\langle 11|$ and $\left|x\right|$ and $a\mid b$</p>").html
    assert html.count('<mo stretchy="false" lspace="0" rspace="0">|</mo>') == 2
    assert '<mo stretchy="true" fence="true" form="prefix">|</mo>' in html and "<mo>∣</mo>" in html


def test_a_title_with_formulas():
    made = text.line_html(r"Is $G^{\dagger}$ <b>new</b> for $5, or $10 & more?")
    assert "<msup><mi>G</mi><mrow><mi>†</mi></mrow></msup>" in made and made.count("<math") == 1
    assert "&lt;b&gt;new&lt;/b&gt; for $5, or $10 &amp; more?" in made


def test_formulas_become_mathml():
    rendered = text.render_markdown("Ratio $\\frac{a}{b} < 1$ and\n\n$$\nx_1 = 2\n$$")
    assert "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>" in rendered.html
    assert '<math display="block" alttext="x_1 = 2">' in rendered.html
    assert rendered.text == "Ratio \\frac{a}{b} < 1 and\n\nx_1 = 2"


@pytest.mark.parametrize("money", ["Costs $5 and $10.", "US$5/US$6", "$5-$10", "was $5, now $4, then $3"])
def test_money_is_not_a_formula(money):
    assert text.render_markdown(money).html == f"<p>{money}</p>"
    assert text.render_html(money).html == money


def test_a_formula_that_fails_is_shown_as_written():
    assert text.formula("\\left|\\") == "<code>\\left|\\</code>"
    assert text.formula("x" * 3000) == f"<code>{'x' * 3000}</code>"


def test_too_long_is_refused_with_words_but_not_for_imports():
    with pytest.raises(text.TooLong, match="20 kB"):
        text.render_markdown("ä" * 10_001)
    assert text.render_markdown("ä" * 10_000).html
    assert text.render_markdown("ä" * 10_001, limit=None).html
    with pytest.raises(text.TooLong, match="600"):
        text.render_plain("x" * 601, limit=text.MAX_COMMENT_CHARS)


def test_deep_nesting_keeps_its_words():
    source = "".join("  " * depth + f"- word{depth}\n" for depth in range(40))
    assert "word39" in text.render_markdown(source).html


def test_quotes_in_quotes_end_somewhere():
    html = text.render_markdown(">>>>>> deep").html
    assert html.count("<blockquote>") == html.count("</blockquote>") == text.MAX_QUOTES
    assert "deep" in html


def test_threads_do_not_mix_their_texts():
    def render(number):
        rendered = text.render_markdown(f"See https://x{number}.example.com/ and www.y{number}.org")
        comment = text.render_plain(f"See https://x{number}.example.com/ twice")
        return rendered.links + comment.links == (
            f"https://x{number}.example.com/",
            f"http://www.y{number}.org",
            f"https://x{number}.example.com/",
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(render, range(200)))


# Mentions ---------------------------------------------------------------------------------------------------


def test_known_names_become_links_once_under_their_own_spelling():
    rendered = text.render_markdown("@BOB, @bob and @eve; mail a@bob.example `@bob` [@bob](/x)", known_users={"Bob"})
    assert rendered.mentions == ("Bob",)
    assert rendered.html.count('<a href="/people/Bob/" class="mention"') == 2
    assert "@eve" in rendered.html and "/people/eve/" not in rendered.html
    assert "<code>@bob</code>" in rendered.html


def test_find_mentions_reads_names_outside_code_and_addresses():
    found = text.find_mentions("@alice, @bob. (@char-lie) x@dana.example `@eve` @alice\n\n```\n@frank\n```")
    assert found == ["alice", "bob", "char-lie"]


def test_comments_mention_too():
    assert text.render_plain("Thanks @bob", known_users={"bob"}).mentions == ("bob",)


# Comments ---------------------------------------------------------------------------------------------------


def test_a_comment_is_small():
    html = text.render_plain("# not a *heading*\nnext `<b>`\n\n- www.x.org/a_b_c and read.me").html
    assert html == (
        "<p># not a <em>heading</em><br>\nnext <code>&lt;b&gt;</code></p><p>- "
        '<a href="http://www.x.org/a_b_c" rel="nofollow ugc noopener">www.x.org/a_b_c</a> and read.me</p>'
    )


def test_links_in_a_comment_are_not_linked_twice():
    html = text.render_plain("[https://a.org](https://b.org) *https://c.org* <https://d.org> a@e.org").html
    assert html.count("<a ") == 3
    assert '<a href="https://b.org" rel="nofollow ugc noopener">https://a.org</a>' in html


def test_linkify_escapes_and_links():
    assert text.linkify("<b> www.x.org & `y`") == (
        '&lt;b&gt; <a href="http://www.x.org" rel="nofollow ugc noopener">www.x.org</a> &amp; `y`'
    )


# Imported HTML ----------------------------------------------------------------------------------------------


def test_imported_html_keeps_what_it_may():
    rendered = text.render_html(
        "<h1>T</h1><p><strike>a</strike> <kbd>b</kbd> <a href='/q/7' onclick=x>c</a></p>"
        "<table><tr><td>d</td></tr></table><img src='//i.example/e.png' alt='e'><pre><code>$x_1$</code></pre>$x_1$",
        base_url="https://old.example/questions/1",
    )
    for piece in (
        "<h3>T</h3>",
        "<strike>a</strike>",
        "<kbd>b</kbd>",
        '<a href="https://old.example/q/7" rel="nofollow ugc noopener">c</a>',
        "<td>d</td>",
        '<a href="https://i.example/e.png" rel="nofollow ugc noopener">e</a>',
        "<pre><code>$x_1$</code></pre>",
        "<msub><mi>x</mi><mn>1</mn></msub>",
    ):
        assert piece in rendered.html
    assert "onclick" not in rendered.html


def test_money_before_a_formula_does_not_swallow_it():
    assert "<msub>" in text.render_html("Costs $5 or $6. $x_1$ is it").html


def test_lines_by_their_other_names_are_aligned():
    for name in ("aligned", "split", "align"):
        made = text.formula(rf"\begin{{{name}}}a &= b \nonumber\\ c &= d\end{{{name}}}", block=True)
        assert re.sub(r"<[^>]+>", "", made) == "a=bc=d" and made.count("<mtd") == 4
    assert re.sub(r"<[^>]+>", "", text.formula(r"\require{cancel} \cancel{b} = 0")) == "b=0"


def test_strangers_formulas_are_not_ours():
    assert text.render_html("<math><mi>x</mi></math>a").html == "a"


# Words ------------------------------------------------------------------------------------------------------


def test_plain_text_reads_block_by_block():
    assert (
        text.plain_text(
            "<h1>A</h1><p>b <b>c</b>\nd<br>e</p><script>x</script><pre>f\n  g</pre><img alt='h' src='/media/h'>"
        )
        == "A\n\nb c d\ne\n\nf\ng\nh"
    )


def test_excerpt_cuts_between_words():
    assert text.excerpt("One two\n\nthree", 20) == "One two three"
    assert text.excerpt("One two, three four", 12) == "One two…"
    assert text.excerpt("x" * 50, 10) == "x" * 9 + "…"
    assert len(text.excerpt("word " * 100, 60)) <= 60


def test_clean_source_is_what_is_documented():
    assert text.clean_source("a\r\nb\rc\u2028d") == "a\nb\nc\nd"
    assert text.clean_source("a\0b\x07c\u202ed\u2066e\ufefff\ud800") == "abcdef\ufffd"
    assert text.clean_source("e\u0301") == "é"
    assert text.clean_source("a\u200db\tc") == "a\u200db\tc"
    assert len(text.clean_source("a" + "\u0300" * 500)) <= 7


def test_clean_line_leaves_nothing_invisible():
    assert text.clean_line("  Grinder\u200b\n\u202estuck\u00ad \u2060 ") == "Grinder stuck"
    assert text.clean_line("👨\u200d👩\u200d👧 a\u200db") == "👨\u200d👩\u200d👧 ab"
    assert text.clean_line("\u3164\u200b\u00a0") == ""
