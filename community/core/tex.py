"""TeX as people write it on other sites, in the words that the converter of formulas knows.

    sheet = tex.Sheet()                       # one for a whole text: what it defines holds from there on
    sheet.plain(r"\\newcommand{\\up}{|\\uparrow\\rangle}")   # ""
    sheet.plain(r"\\up + \\ce{^{43}Ca+}")

Their pages define names of their own (`\\newcommand`, `\\def`), load packages (`\\require`), put boxes around things
and write chemistry. What is understood is written out; for the rest `NotUnderstood` is raised, and the formula is
shown as it was written. A text may grow by its names only so much: what doubles and doubles again ends
at MAX_EXPANSION.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_FORMULA: Final = 2_000  # characters, written out; longer ones nobody reads, and each costs time
MAX_EXPANSION: Final = 20_000  # characters that the names of one text may add to it: a fifth of a second of converting
MAX_NAMES: Final = 100  # definitions in a text
MAX_STEPS: Final = 300  # names written out in one formula: some take longer than they grow


class NotUnderstood(ValueError):
    """The formula is beyond what we can write in MathML."""


@dataclass(frozen=True)
class Name:
    """What stands for a name: `#1` to `#9` in the body are its arguments; the first may have a default."""

    body: str
    arguments: int = 0
    default: str | None = None


# As the packages braket and physics have them, which many pages use without a word; and a projector.
USUAL: Final = {
    "Ket": Name(r"\left|#1\right\rangle", 1),
    "Bra": Name(r"\left\langle#1\right|", 1),
    "Braket": Name(r"\left\langle#1\right\rangle", 1),
    "ketbra": Name(r"|#1\rangle\langle#2|", 2),
    "proj": Name(r"|#1\rangle\langle#1|", 1),
    "Tr": Name(r"\operatorname{Tr}"),
    "tr": Name(r"\operatorname{tr}"),
    "abs": Name(r"\left|#1\right|", 1),
    "norm": Name(r"\left\lVert#1\right\rVert", 1),
}

_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_DEFINES = {"newcommand", "renewcommand", "providecommand", "def", "gdef", "let", "DeclareMathOperator"}
# They draw by moving things about on paper, which MathML can't say.
_DRAWS = {"raise", "lower", "rlap", "llap", "hskip", "kern", "Rule", "rule", "xymatrix"}


class Sheet:
    """The names that a text has defined so far, and by how much it may still grow."""

    def __init__(self) -> None:
        self.names: dict[str, Name] = dict(USUAL)
        self.left = MAX_EXPANSION
        self.tries = 0  # how often a formula was looked for in vain; see `text`

    def expanded(self, source: str) -> str:
        """The formula with our names written out and its definitions remembered. Raises NotUnderstood."""
        source = re.sub(r"(?<!\\)%(?:[^\n]*\n|\s*$)", " ", source)
        done, rest, steps = "", source, 0
        while match := _COMMAND.search(rest):
            done += rest[: match.start()]
            name, at = match[1], match.end()
            if name in _DEFINES:
                rest = rest[self._define(name, rest, at) :].lstrip()
                continue
            known = self.names.get(name)
            if known is None:
                done += match[0]
                rest = rest[at:]
                continue
            body, at = _filled(known, rest, at)
            self.left -= max(0, len(body) - len(match[0]))
            steps += 1
            rest = _joined(body, rest[at:])
            done = _joined(done, rest).removesuffix(rest)
            if self.left < 0 or steps > MAX_STEPS or len(done) + len(rest) > MAX_FORMULA:
                raise NotUnderstood("it grows without end")
        return (done + rest).strip()

    def _define(self, how: str, source: str, at: int) -> int:
        """Remember what is defined there; returns where it ends."""
        if len(self.names) >= MAX_NAMES + len(USUAL):
            raise NotUnderstood("too many names")
        name, at = _argument(source, at + source.startswith("*", at))
        name = name.strip()
        if not _COMMAND.fullmatch(name):
            raise NotUnderstood(f"no name: {name[:20]}")
        arguments, default = 0, None
        if how == "let":
            body, at = _argument(source, at + source.startswith("=", at))
        elif how in ("def", "gdef"):
            written = re.compile(r"\s*((?:#[1-9])*)\s*(?=\{)").match(source, at)
            if written is None:
                raise NotUnderstood("arguments between words")
            arguments = len(written[1]) // 2
            body, at = _argument(source, written.end())
        else:
            count, at = _option(source, at)
            default, at = _option(source, at)
            arguments = int(count) if count and count in "123456789" else 0
            body, at = _argument(source, at)
            body = rf"\operatorname{{{body}}}" if how == "DeclareMathOperator" else body
        if name[1:] not in ("begin", "end", "left", "right"):
            self.names[name[1:]] = Name(body, arguments, default)
        return at


def plain(source: str) -> str:
    """The formula without what only a page of theirs needs: packages, boxes with options, numbers of lines; and
    chemistry as TeX. Raises NotUnderstood for drawings."""
    if any(command[1] in _DRAWS for command in _COMMAND.finditer(source)):
        raise NotUnderstood("a drawing")
    source = re.sub(r"\\require\s*\{\\?\w+\}|\\label\s*\{[^{}]*\}|\\(?:nonumber|notag)(?![A-Za-z])", "", source)
    source = re.sub(r"\\\n", r"\\ ", source)
    source = re.sub(r"(\\begin\{)alignat(\*?\})\s*\{\d+\}", r"\1align\2", source).replace("{alignat", "{align")
    source = re.sub(r"(\\(?:begin|end)\{)(?:aligned|split|eqnarray\*?)\}", r"\1align*}", source)
    source = re.sub(r"(\\(?:begin|end)\{(?:align|equation|gather|multline))\}", r"\1*}", source)
    for name, write in _WRITTEN.items():
        source = _each(source, name, write)
    return _SIZED.sub(lambda found: found[1] + _SIGNS.get(found[2], f"\\{found[2]}"), source).strip()


# The converter writes the name of these after \big.
_SIZED = re.compile(r"(\\[bB]igg?[lrm]?)\s*\\([A-Za-z]+|[{}|])")
_SIGNS: Final = {
    "{": "{", "}": "}", "|": "‖", "lbrace": "{", "rbrace": "}", "langle": "⟨", "rangle": "⟩",
    "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "vert": "|", "lvert": "|", "rvert": "|", "Vert": "‖",
    "lVert": "‖", "rVert": "‖",
}  # fmt: skip


def _each(source: str, name: str, write: Callable[[str, int], tuple[str, int]]) -> str:
    """`\\name` wherever it stands, written by `write`, which is told where its arguments begin."""
    parts, at = [], 0
    for found in re.finditer(rf"\\{name}(?![A-Za-z])", source):
        if found.start() < at:
            continue  # within the arguments of the one before; they were written with it
        made, end = write(source, found.end())
        parts += [source[at : found.start()], made]
        at = end
    return "".join([*parts, source[at:]])


def _box(source: str, at: int) -> tuple[str, int]:
    _options, at = _option(source, at)
    inside, at = _argument(source, at)
    return f"{{{_each(inside, 'bbox', _box)}}}", at


def _enclosed(source: str, at: int) -> tuple[str, int]:
    how, at = _argument(source, at)
    _options, at = _option(source, at)
    inside, at = _argument(source, at)
    inside = _each(inside, "enclose", _enclosed)
    if "diagonalstrike" in how:
        crossed = {(True, True): "xcancel", (True, False): "cancel", (False, True): "bcancel"}
        return rf"\{crossed['up' in how, 'down' in how]}{{{inside}}}", at
    return (rf"\boxed{{{inside}}}" if "box" in how else f"{{{inside}}}"), at


def _boxed(words: str, end: int) -> tuple[str, int]:
    return rf"\boxed{{{words}}}", end


def _text_with_formulas(source: str, at: int) -> tuple[str, int]:
    words, at = _argument(source, at)
    parts = words.split("$")
    if len(parts) % 2 == 0:
        return rf"\text{{{words}}}", at
    return "".join(
        f"{{{part}}}" if number % 2 else rf"\text{{{part}}}" for number, part in enumerate(parts) if part
    ), at  # fmt: skip


_MOLECULE = re.compile(
    r"(?P<arrow><=>>?|<<=>|<->|->|<-)|(?P<plus>\s[+-](?=\s))|(?P<space>\s+)"
    r"|\^\{(?P<up>[^{}]*)\}|\^(?P<charge>\d*[+-]?)|_\{(?P<down>[^{}]*)\}|_(?P<low>\d+)"
    r"|(?P<element>[A-Za-z]+)|(?P<number>\d+)|(?P<bond>[=#])|(?P<sign>[()\[\]])|(?P<dot>[*.])|(?P<end>[+-](?=$|[\s)\]]))"
)
_ARROWS: Final = {
    "->": r"\rightarrow ", "<-": r"\leftarrow ", "<->": r"\leftrightarrow ", "<=>": r"\rightleftharpoons ",
    "<=>>": r"\rightleftharpoons ", "<<=>": r"\rightleftharpoons ",
}  # fmt: skip


def _chemistry(source: str, at: int) -> tuple[str, int]:
    r"""`\ce{2H2O}` as mhchem reads the common cases: elements upright, counts low, charges high, arrows. Else words."""
    molecule, at = _argument(source, at)
    made, end, after = [], 0, False  # after: whether a number here counts what stands before it
    while end < len(molecule):
        found = _MOLECULE.match(molecule, end)
        if found is None or found.end() == end:
            return rf"\text{{{re.sub(r'[{}$^_]', '', molecule)}}}", at
        end, kind = found.end(), found.lastgroup
        words = found[kind] if kind else ""
        if kind in ("up", "charge", "down", "low"):
            made.append(("" if after else "{}") + ("^" if kind in ("up", "charge") else "_") + f"{{{words}}}")
            continue  # it stays with what it is written on
        if kind == "number":
            made.append(f"_{{{words}}}" if after else words)
        elif kind == "end":
            made.append(f"^{{{words}}}" if after else words)
        elif kind == "element":
            made.append(rf"\mathrm{{{words}}}")
        elif kind == "arrow":
            made.append(_ARROWS[words])
        else:
            made.append(
                {"bond": {"=": "=", "#": r"\equiv "}.get(words, ""), "dot": r"\cdot ", "space": ""}.get(
                    kind or "", words.strip()
                )
            )
        after = kind in ("element", "number") and (kind == "element" or after) or words in (")", "]")
    return f"{{{''.join(made)}}}", at


_WRITTEN: Final[dict[str, Callable[[str, int], tuple[str, int]]]] = {
    "bbox": _box, "enclose": _enclosed, "ce": _chemistry,
    "fbox": lambda source, at: _boxed(*_text_with_formulas(source, at)),
    "text": _text_with_formulas, "textrm": _text_with_formulas, "mbox": _text_with_formulas,
}  # fmt: skip


# Arguments --------------------------------------------------------------------------------------------------


def _filled(name: Name, source: str, at: int) -> tuple[str, int]:
    given: list[str] = []
    if name.default is not None and name.arguments:
        option, at = _option(source, at)
        given.append(name.default if option is None else option)
    while len(given) < name.arguments:
        argument, at = _argument(source, at)
        given.append(argument)
    if not given:
        return name.body, at
    return re.sub(
        r"(\\[A-Za-z]+)?#([1-9])",
        lambda found: _joined(found[1] or "", (given + [""] * 9)[int(found[2]) - 1]),
        name.body,
    ), at


def _joined(before: str, after: str) -> str:
    """Two pieces one after the other, so that no letter runs into the name of a command."""
    runs = after[:1].isascii() and after[:1].isalpha() and re.search(r"\\[A-Za-z]+$", before)
    return f"{before} {after}" if runs else before + after


def _argument(source: str, at: int) -> tuple[str, int]:
    """What TeX takes for an argument at a place: a group in braces, a command, or one character; and where it ends."""
    while at < len(source) and source[at].isspace():
        at += 1
    if at >= len(source):
        raise NotUnderstood("an argument is missing")
    if source[at] == "\\" and (command := _COMMAND.match(source, at)):
        return command[0], command.end()
    if source[at] != "{":
        return source[at], at + 1
    depth = 0
    for sign in re.compile(r"\\.|[{}]", re.DOTALL).finditer(source, at):
        depth += {"{": 1, "}": -1}.get(sign[0], 0)
        if depth == 0:
            return source[at + 1 : sign.start()], sign.end()
    raise NotUnderstood("a brace is left open")


def _option(source: str, at: int) -> tuple[str | None, int]:
    found = re.compile(r"\s*\[([^\[\]]*)\]").match(source, at)
    return (found[1], found.end()) if found else (None, at)
