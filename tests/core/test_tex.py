"""Formulas of other sites: names that pages define, chemistry, boxes; and that none of it grows without end."""

import re
import time

import pytest

from community.core import tex, text

pytestmark = pytest.mark.once


def shown(html: str) -> str:
    return re.sub(r"<[^>]+>|\s", "", html)


def test_what_a_text_defines_holds_from_there_on():
    made = text.render_html(
        r"<p>$\newcommand{\up}{|\!\uparrow\rangle}\def\pair#1#2{(#1,#2)}\newcommand{\at}[2][t]{#2_#1}%</p>"
        "\n"
        r"$ and $\up$, $\pair{a}\up$, $\quad\at x+\at[u]{x}$, $\DeclareMathOperator{\rank}{rk}\rank A$</p>"
    )
    assert made.html.startswith("<p>$"), "a formula does not go from one element to another"
    made = text.render_html(
        r"<p>$\newcommand{\up}{|\!\uparrow\rangle}\def\pair#1#2{(#1,#2)}\newcommand{\at}[2][t]{#2_#1}%"
        "\n"
        r"$ We have $\up$.</p><p>$\pair{a}\up$; $\quad\at x+\at[u]{x}$; $\DeclareMathOperator{\rank}{rk}\rank A$</p>"
    )
    assert shown(made.html) == "Wehave|↑⟩.(a,|↑⟩);xt+xu;rkA"
    assert made.text == "We have |↑⟩.\n\n(a,|↑⟩); \\quad x_t+x_u; rkA", "in words, too: signs in a row, else TeX"
    assert shown(text.render_markdown(r"$\def\half{\frac12}\half x$, then $\half$").html) == "12x,then12"
    assert "half" in text.render_markdown(r"$\half$").html, "what another text defined does not hold here"


@pytest.mark.parametrize(
    "source, words",
    [
        (r"\ce{2H2O -> 2H2 + O2}", "2H2O→2H2+O2"),
        (r"\ce{^{171}Yb^+}", "171Yb+"),
        (r"\require{\mhchem}\ce{SO4^2-}", "SO42−"),
        (r"\ce{Ca(OH)2 <=> Ca^2+ + 2OH-}", "Ca(OH)2⇌Ca2++2OH−"),
        (r"\ce{weird € one}", "weird€one"),
        (r"\bbox[5pt,lightblue]{x+\bbox{y}}", "x+y"),
        (r"\require{enclose}\enclose{box}[mathcolor=red]{x}", "x"),
        (r"\enclose{updiagonalstrike,downdiagonalstrike}{x}", "x"),
        (r"\begin{cases}1&\text{if $x>0$;}\\0&\mbox{else}\end{cases}", "{1ifx&gt;0;0else"),
        (r"\begin{alignat}{2}a&=b&&\\c&=d\end{alignat}", "a=bc=d"),
        (r"\bigl\{x\bigr\}\Big\lfloor y\Big\rfloor\big\vert", "{x}⌊y⌋|"),
        (r"\fbox{$\pm$}\label{one}", "±"),
        ("a % so\n+b", "a+b"),
        (r"\proj{z}\Ket{0}", "|z⟩⟨z||0⟩"),
    ],
)
def test_what_other_sites_write_is_understood(source, words):
    made = text.formula(source)
    assert made.startswith("<math") and shown(made) == words.replace(" ", "")
    assert "\\" not in re.sub(r'alttext="[^"]*"', "", made)


@pytest.mark.parametrize("drawn", [r"\def\at#1#2{\raise{#1px}{#2}}\at{3}{x}", r"\rlap{x}y", r"\def\m (#1) [#2]{#1}"])
def test_what_cannot_be_said_is_shown_as_written(drawn):
    assert text.formula(drawn) == f"<code>{drawn}</code>"


def test_brackets_dollars_and_money():
    made = text.render_html(r"<p>$x \mapsto \text{if $y$}$ for $5 or $6, all $n $ and $O(log n)$, owed $\$_r$</p>").html
    assert made.count("<math") == 4 and "for $5 or $6, all" in made
    assert text.render_html("<p>$a_1\n\nb$ {$5-$10} $5 {a $6</p>").html.count("<math") == 0


DOUBLING = "".join(rf"\def\{chr(n + 1)}{{\{chr(n)}\{chr(n)}}}" for n in range(ord("a"), ord("l")))
BOMBS = {
    "doubles": rf"$\def\a{{xx}}{DOUBLING}\l$",
    "calls itself": r"$\def\a{\a\a}\a$ $\a$",
    "swaps": r"$\def\a{\b}\def\b{\a}\a$",
    "many that grow": rf"$\def\a{{{'x' * 1500}}}$" + r"$\a$ " * 3000,
    "many names": "$" + "".join(rf"\def\{'x' * n}{{a}}" for n in range(1, 150)) + "$",
    "open braces": "${" * 10_000,
    "commands": r"$\a" * 8_000,
    "environments": r"\begin{align}" * 2_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_names_cannot_be_made_to_explode(name):
    for door in (text.render_html, lambda source: text.render_markdown(source, limit=None)):
        started = time.process_time()
        made = door(BOMBS[name])
        assert time.process_time() - started < 2
        assert len(made.html) <= text.MAX_GROWTH * len(BOMBS[name]) + 200


def test_chemistry_grows_only_so_much() -> None:
    """Written out it is longer, and has more groups, than as it was written."""
    atoms = r"\ce{" + "H2O4" * 150 + "}"
    assert text.formula(atoms).startswith("<code>")
    sheet = tex.Sheet()
    sheet.left = 10
    assert text.formula(r"\ce{H2SO4 + CaCl2}", sheet=sheet).startswith("<code>") and sheet.left < 0
    assert text.formula(r"\ce{H2SO4 + CaCl2}", sheet=tex.Sheet()).startswith("<math")


def test_an_unfinished_definition_is_not_an_error():
    for source in (r"\newcommand", r"\newcommand{\a}", r"\def\a", r"\let\a", r"\ce", r"\enclose{a}"):
        assert text.formula(source) == f"<code>{source}</code>"
    with pytest.raises(tex.NotUnderstood):
        tex.Sheet().expanded(r"\newcommand{words}{x}")


def test_headings_of_a_post_leave_no_gap():
    levels = lambda made: re.findall(r"<(h\d)>", made.html)  # noqa: E731
    assert levels(text.render_html("<h3>a</h3><h5>b</h5><h5>c</h5><h4>d</h4><h1>e</h1><h3>f</h3>")) == [
        "h3", "h4", "h4", "h4", "h3", "h4",
    ]  # fmt: skip
    assert levels(text.render_markdown("##### a\n\n# b\n\n### c")) == ["h3", "h3", "h4"]
    deep = text.render_html("".join(f"<h{n}>x</h{n}>" for n in range(1, 7)))
    assert levels(deep) == ["h3", "h4", "h5", "h6", "h6", "h6"]


def test_comments_have_formulas_and_money():
    made = text.render_plain(r"As $\frac{a_1*b*c}{2}$ costs $5, not $6, and `$x_1$` and $a_i$ stay.")
    assert made.html.count("<math") == 2 and "costs $5, not $6" in made.html and "<code>$x_1$</code>" in made.html
    assert "em>" not in made.html and r"\frac{a_1*b*c}{2}" in made.text
