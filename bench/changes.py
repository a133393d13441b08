"""Titles as somebody else would have typed them: one kind of change at a time.

Each change takes a title and a source of chance, and gives the changed title, or None where the title has nothing that
could be changed so. The words that are changed are those that carry the subject: the hard case.
"""

import random
import re
from collections.abc import Callable

WORD = re.compile(r"[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ']*")
# Words around which a question is built. A slip in one of them would be no test.
FRAME = frozenset(
    "a about after all also an and any are as at be been before but by can cannot could do does doesn't don't for from "
    "get good has have how i if in into is isn't it it's its just like many me more my need no not of on or out should "
    "so some than that the their them then there these they this to too use used using very was way what what's when "
    "where which while who why will with without won't would you your".split()
)

Change = Callable[[str, random.Random], str | None]

# A slip of the finger ---------------------------------------------------------------------------------------

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def neighbours(letter: str) -> str:
    """Letters beside this one on the keyboard."""
    for number, row in enumerate(KEYS):
        place = row.find(letter)
        if place >= 0:
            beside = row[max(0, place - 1) : place] + row[place + 1 : place + 2]
            above = KEYS[number - 1][place : place + 1] if number else ""
            return beside + above
    return ""


def slip(word: str, chance: random.Random) -> str:
    """The word with two letters swapped, one left out, doubled or hit beside. The first letter is mostly right."""
    while True:
        place = chance.randrange(0 if chance.random() < 0.1 else 1, len(word))
        letter, kind = word[place], chance.choice(("swap", "drop", "double", "beside", "beside"))
        if kind == "swap" and place + 1 < len(word):
            changed = word[:place] + word[place + 1] + letter + word[place + 2 :]
        elif kind == "drop":
            changed = word[:place] + word[place + 1 :]
        elif kind == "double":
            changed = word[:place] + letter + word[place:]
        else:
            near = neighbours(letter.lower())
            changed = word[:place] + chance.choice(near) + word[place + 1 :] if near else word
        if changed != word:
            return changed


def typo(title: str, chance: random.Random) -> str | None:
    return _with_one(title, chance, lambda word: slip(word, chance) if len(word) > 3 else None)


# Left out, moved --------------------------------------------------------------------------------------------


def dropped(title: str, chance: random.Random) -> str | None:
    """A word of the subject is missing; one that has only one such word would be about something else."""
    subject = [match for match in WORD.finditer(title) if _carries(match.group())]
    if len(subject) < 2:
        return None
    gone = chance.choice(subject)
    return " ".join((title[: gone.start()] + title[gone.end() :]).split())


def reordered(title: str, chance: random.Random) -> str | None:
    """The second part first, or all the words anyhow."""
    words = title.split()
    if len(words) < 3:
        return None
    moved = list(words)
    while moved == words:
        if chance.random() < 0.5:
            cut = chance.randrange(1, len(words))
            moved = words[cut:] + words[:cut]
        else:
            chance.shuffle(moved)
    return " ".join(moved)


# One and many -----------------------------------------------------------------------------------------------

ODD = {
    "knife": "knives", "leaf": "leaves", "loaf": "loaves", "half": "halves", "shelf": "shelves", "potato": "potatoes",
    "tomato": "tomatoes", "mango": "mangoes", "foot": "feet", "goose": "geese", "tooth": "teeth", "child": "children",
    "man": "men", "woman": "women", "life": "lives", "calf": "calves", "radius": "radii", "fungus": "fungi",
}  # fmt: skip
SINGLE = {many: one for one, many in ODD.items()}


def plural(title: str, chance: random.Random) -> str | None:
    """One becomes many, many one."""
    return _with_one(title, chance, one_or_many)


def one_or_many(word: str) -> str | None:
    low = word.lower()
    if low in ODD or low in SINGLE:
        return ODD.get(low) or SINGLE[low]
    if len(low) < 3 or low.endswith(("ing", "ed", "ly", "ss", "us", "is", "'s", "'t")):
        return None
    if low.endswith("ies") and len(low) > 4:
        return word[:-3] + "y"
    if low.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if low.endswith("s"):
        return word[:-1]
    if low.endswith(("ch", "sh", "x", "z")):
        return word + "es"
    if low.endswith("y") and low[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


# Another word for it ----------------------------------------------------------------------------------------

# Words one would use for one another in a kitchen. The search knows nothing of this list.
ALIKE = (
    "substitute replacement alternative", "fridge refrigerator", "oven stove", "pan skillet", "pot saucepan",
    "store keep", "storing keeping", "storage keeping", "make prepare", "making preparing", "cook prepare",
    "cooking preparing", "cooked prepared", "difference distinction", "best ideal", "safe dangerous",
    "remove eliminate", "removing eliminating", "prevent avoid", "preventing avoiding", "stop avoid", "fix repair",
    "meat beef", "soup broth", "stock broth", "shrimp prawns", "eggplant aubergine", "zucchini courgette",
    "cilantro coriander", "chili chilli", "chile chilli", "chilies chillies", "ground minced", "broiler grill",
    "grill barbecue", "grilling barbecuing", "fry saute", "frying sauteing", "boil simmer", "boiling simmering",
    "bake roast", "baking roasting", "baked roasted", "clean wash", "cleaning washing", "smell odor", "taste flavor",
    "flavor taste", "flavour taste", "sauce gravy", "cookies biscuits", "cookie biscuit", "candy sweets",
    "dessert pudding", "powder flour", "temperature heat", "heat warmth", "reheat warm", "reheating warming",
    "thicken stiffen", "thick dense", "thin runny", "hard tough", "soft tender", "crispy crunchy", "dry dehydrated",
    "spoil rot", "spoiled rotten", "bad spoiled", "old aged", "fresh raw", "recipe instructions",
    "ingredient component",
    "ingredients components", "dish meal", "food meal", "kitchen cookery", "cut slice", "cutting slicing", "chop dice",
    "sharpen whet", "dough pastry", "cake gateau", "juice liquid", "oil fat", "lard fat", "container jar", "jar glass",
    "quick fast", "quickly fast", "big large", "small little", "long lengthy", "cause reason", "purpose reason",
    "effect influence", "affect influence", "possible feasible", "proper right", "correct right", "called named",
    "name term", "type kind", "types kinds", "kind sort", "kinds sorts", "purpose point", "technique method",
    "way method", "method technique", "freeze deep-freeze", "frozen iced", "thaw defrost", "thawing defrosting",
    "defrost thaw", "soda pop", "vegetarian meatless", "vegan plant-based", "appliance device", "equipment tools",
    "tool utensil", "turkey poultry", "chicken poultry", "pork ham", "bacon ham", "fish seafood", "salmon fish",
    "noodles pasta", "spaghetti pasta", "rolls buns", "bun roll", "crust shell", "stick adhere", "sticking adhering",
    "mix stir", "mixing stirring", "whip beat", "whisk beat", "mixer blender", "blender mixer", "many several",
    "measure weigh", "amount quantity", "much quantity", "lot plenty", "happens occurs", "increase raise",
    "reduce lower", "last survive", "sour tart", "sweet sugary", "spicy hot", "bitter harsh", "ripe mature",
    "peel skin", "skin rind", "seeds pips", "wine alcohol", "liquor spirits", "coffee espresso", "tea brew",
)  # fmt: skip
OTHERS: dict[str, list[str]] = {}
for group in ALIKE:
    first, *rest = group.split()
    OTHERS.setdefault(first, []).extend(rest)

# Another way to begin, where no word has another.
OPENINGS = (
    (r"^how (?:do|can|should|would) (?:i|you|we)\b", "What is the best way to"),
    (r"^how to\b", "What is the right way to"),
    (r"^(?:can|could|may) (?:i|you|we|one)\b", "Is it possible to"),
    (r"^is it (?:ok|okay|safe|possible) to\b", "Can I"),
    (r"^what(?:'s| is| are) the (?:best|proper|right) ways? to\b", "How do I"),
    (r"^why (?:do|does|did|is|are)\b", "What is the reason that"),
    (r"^(?:what(?:'s| is) the )?difference between\b", "What distinguishes"),
)
ENDS = (("ation", "ate"), ("ing", "e"), ("ing", ""), ("ed", ""), ("ness", ""), ("ment", ""))


def synonym(title: str, chance: random.Random) -> str | None:
    """Another word for one of the words; else another form of it (freezing, freeze); else another opening."""
    return (
        _with_one(title, chance, lambda word: _any_of(OTHERS.get(word.lower()), chance), carrying=False)
        or _with_one(title, chance, another_form)
        or _reopened(title)
    )


def another_form(word: str) -> str | None:
    """The verb of a noun, the stem of a form: storing, store."""
    low = word.lower()
    for end, instead in ENDS:
        stem = low[: -len(end)]
        if low.endswith(end) and len(stem) > 2:
            if end == "ing" and instead == "e" and stem[-1] not in "cgksvz":
                continue
            twice = end in ("ing", "ed") and stem[-1] == stem[-2] and stem[-1] not in "lsz"
            return (stem[:-1] if twice else stem) + instead
    return None


def _reopened(title: str) -> str | None:
    for opening, instead in OPENINGS:
        changed = re.sub(opening, instead, title, count=1, flags=re.IGNORECASE)
        if changed != title:
            return changed
    return None


# Common -----------------------------------------------------------------------------------------------------


def _carries(word: str) -> bool:
    return word.lower() not in FRAME


def _any_of(words: list[str] | None, chance: random.Random) -> str | None:
    return chance.choice(words) if words else None


def _with_one(
    title: str, chance: random.Random, change: Callable[[str], str | None], *, carrying: bool = True
) -> str | None:
    """The title with one word changed that can be, chosen by chance."""
    places = [match for match in WORD.finditer(title) if not carrying or _carries(match.group())]
    chance.shuffle(places)
    for place in places:
        changed = change(place.group())
        if changed and changed.lower() != place.group().lower():
            return title[: place.start()] + changed + title[place.end() :]
    return None


CHANGES: dict[str, Change] = {
    "a typo": typo,
    "a word dropped": dropped,
    "another order": reordered,
    "plural": plural,
    "synonym": synonym,
}
