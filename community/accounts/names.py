"""User names that cannot be mistaken for one another (CHECKS 23)."""

import re
import unicodedata

from confusable_homoglyphs import confusables
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST, LONGEST = 3, 20
NAME = re.compile(r"^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$")
RESERVED = frozenset(
    [
        "admin",
        "administrator",
        "root",
        "system",
        "staff",
        "support",
        "official",
        "moderator",
        "mod",
        "team",
        "help",
        "community",
        "brand",
        "advocate",
        "advocates",
        "everyone",
        "here",
        "all",
        "anonymous",
        "deleted",
        "former",
        "api",
        "www",
        "mail",
        "security",
        "abuse",
        "postmaster",
        "webmaster",
        "me",
        "you",
        "settings",
    ]
)
# What looks alike in Latin letters and digits: the Unicode table speaks of scripts, people misread these.
LOOKALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "5": "s"})


def skeleton(name: str) -> str:
    """What a name looks like at a glance: two names with one skeleton can be confused.

    Case-folded, compatibility-normalised, separators dropped, confusable letters replaced.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    letters = []
    for letter in folded:
        if letter.isascii():
            letters.append(letter)
            continue
        found = confusables.is_confusable(letter, greedy=True, preferred_aliases=["latin"])
        latin = [h["c"] for h in found[0]["homoglyphs"] if h["c"].isascii()] if found else []
        letters.append(latin[0].casefold() if latin else letter)
    plain = "".join(letters).translate(LOOKALIKE).replace("rn", "m").replace("vv", "w")
    return re.sub(r"[._\-\s]+", "", plain)[:80]


def check_username(name: str) -> str:
    """Return the name as it is kept, or raise ValidationError saying what is wrong with it."""
    name = unicodedata.normalize("NFKC", name).strip().lower()
    if not SHORTEST <= len(name) <= LONGEST:
        raise ValidationError(_("A user name has 3 to 20 letters."), code="length")
    if not NAME.match(name):
        raise ValidationError(_("Use letters a to z, digits, dots and dashes."), code="letters")
    if skeleton(name) in {skeleton(word) for word in RESERVED}:
        raise ValidationError(_("This name could be taken for the brand's. Please choose another."), code="reserved")
    return name
