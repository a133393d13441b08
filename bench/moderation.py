"""How often the spam filter is right: `make bench-moderation`. Reads ../shared/data, or DATA_SETS.

Each set is split 70 to 30, by text, stratified, with seed 17: what is held back is never learnt from, and the threshold
is set by cross-validation on the other part. What we ship (`--ship` writes it) is learnt from both sets of spam (CC BY
4.0, credited in decision 0207) and from the posts of our own demo, none of which is spam but one that is left out; it
judges from a score on that hardly any real post about coffee reaches.
"""

import csv
import gzip
import html
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import django
import yaml

if TYPE_CHECKING:
    from community.moderation import classifier

SETS = Path(os.environ.get("DATA_SETS", Path(__file__).resolve().parents[2] / "shared" / "data"))
Example = tuple[str, bool]


def sms_spam() -> Iterator[Example]:
    for line in (SETS / "moderation-sms-spam" / "SMSSpamCollection").read_text(encoding="utf-8").splitlines():
        label, _tab, text = line.partition("\t")
        yield text.strip(), label == "spam"


def youtube_spam() -> Iterator[Example]:
    for path in sorted((SETS / "moderation-youtube-spam").glob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                plain = html.unescape(re.sub(r"<br ?/?>", "\n", row["CONTENT"])).replace("\ufeff", "")
                yield plain.strip(), row["CLASS"] == "1"


def toxicity() -> Iterator[Example]:
    with (SETS / "moderation-surge-toxicity" / "toxicity_en.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield row["text"], row["is_toxic"] == "Toxic"


def real_posts(name: str) -> list[str]:
    """Questions and answers of a real community: none of them is spam."""
    path = SETS / name / "Posts.xml"
    with gzip.open(f"{path}.gz") if not path.exists() else path.open("rb") as file:
        rows = ElementTree.parse(file).getroot()  # noqa: S314 - a file of ours
    return [html.unescape(re.sub(r"<[^>]+>", " ", row.get("Body") or "")).strip() for row in rows]


def our_own() -> list[str]:
    """Posts of the demo, which we wrote: the tone of a house like this one. Its one advertisement is left out."""
    found: list[str] = []

    def gather(node: object) -> None:
        if isinstance(node, dict):
            found.extend(value for key, value in node.items() if key == "body" and isinstance(value, str))
            node = list(node.values())
        if isinstance(node, list):
            for part in node:
                gather(part)

    for path in sorted((Path(__file__).resolve().parents[1] / "demo" / "threads").glob("*.yaml")):
        if path.stem != "best-price-capsule-deal":
            gather(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


def careful(model: "classifier.Model", posts: list[str], threshold: float) -> float:
    """A threshold that at most one of these posts in 100 reaches."""
    scores = sorted((model.score(text) for text in posts), reverse=True)
    return max(threshold, round(scores[len(posts) // 100] + 0.0001, 4))


def held_up(model: "classifier.Model", posts: list[str], what: str) -> None:
    wrongly = sum(model.score(text) >= model.threshold for text in posts)
    print(f"{what}: {wrongly} of {len(posts)} would wait for a look ({wrongly / len(posts):.1%})")


def say(name: str, figures: dict) -> None:
    print(
        f"{name:14} {figures['texts']:5} texts held back, {figures['spam']:4} wanted: "
        f"precision {figures['precision']:.3f}, recall {figures['recall']:.3f} "
        f"({figures['caught']} caught, {figures['wrongly']} wrongly)"
    )


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "community.settings.test")
    django.setup()
    from community.moderation import classifier, learning

    if not SETS.exists():
        print(f"no data sets at {SETS}")
        return 0
    print("split: 70 to 30 by text, stratified, seed 17; threshold by 5-fold cross-validation on the 70")
    spam_sets = {"sms-spam": list(sms_spam()), "youtube-spam": list(youtube_spam())}
    for name, examples in {**spam_sets, "toxicity": list(toxicity())}.items():
        taught, held = learning.split(examples)
        figures = learning.measure(classifier.model_of(**learning.packed(*learning.fit(taught))), held)
        say(name, figures)
    together = [example for examples in spam_sets.values() for example in examples]
    taught, held = learning.split(together)
    model = classifier.model_of(**learning.packed(*learning.fit(taught)))
    both = learning.measure(model, held)
    say("both together", both)
    reached = both["precision"] >= 0.97 and both["recall"] >= 0.85
    coffee, own = real_posts("stackexchange-coffee-2015"), our_own()
    weights, bias, threshold = learning.fit(taught, house=own)
    model = classifier.model_of(**learning.packed(weights, bias, threshold))
    say("and our own", learning.measure(model, held))
    # By every other post about coffee; the rest, and another community, say how it does with what it did not see.
    model = classifier.model_of(**learning.packed(weights, bias, careful(model, coffee[::2], threshold)))
    say("as we ship it", learning.measure(model, held))
    held_up(model, coffee[1::2], "posts about coffee that set nothing")
    held_up(model, real_posts("stackexchange-bicycles-meta-2023"), "posts of another community")
    held_up(classifier.start(), coffee, "what is shipped, all posts about coffee")
    began = time.perf_counter()
    for text in coffee[:100]:
        model.score(text)
    print(f"a judgement takes {(time.perf_counter() - began) * 10:.1f} ms")
    if "--ship" in sys.argv:
        weights, bias, threshold = learning.fit(list(dict(together).items()), house=own)
        model = classifier.model_of(**learning.packed(weights, bias, threshold))
        whole = learning.packed(weights, bias, careful(model, coffee[::2], threshold))
        classifier.START.write_text(json.dumps(whole, indent=0) + "\n", encoding="utf-8")
        print(f"wrote {classifier.START}")
    print("the spam sets reach precision 0.97 at recall 0.85" if reached else "BELOW precision 0.97 at recall 0.85")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
