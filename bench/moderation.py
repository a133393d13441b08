"""How often the spam filter is right: `make bench-moderation`. Reads ../shared/data, or DATA_SETS.

Each set is split 70 to 30, by text, stratified, with seed 17: what is held back is never learnt from, and the threshold
is set by cross-validation on the other part. What we ship (`--ship` writes it) is learnt from both sets of spam (CC BY
4.0, credited in decision 0207), and judges from a score on that hardly any real post about coffee reaches.
"""

import csv
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


def coffee_posts() -> list[str]:
    """Questions and answers of a real community about coffee: none of them is spam."""
    path = SETS / "stackexchange-coffee-2015" / "Posts.xml"
    rows = ElementTree.parse(path).getroot()  # noqa: S314 - a file of ours
    return [html.unescape(re.sub(r"<[^>]+>", " ", row.get("Body") or "")).strip() for row in rows]


def careful(model: "classifier.Model", posts: list[str], threshold: float) -> float:
    """A threshold that at most one real post in 200 reaches."""
    scores = sorted((model.score(text) for text in posts), reverse=True)
    return max(threshold, round(scores[len(posts) // 200] + 0.0001, 4))


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
    reached = True
    for name, examples in {**spam_sets, "toxicity": list(toxicity())}.items():
        taught, held = learning.split(examples)
        figures = learning.measure(classifier.model_of(**learning.packed(*learning.fit(taught))), held)
        say(name, figures)
        if name in spam_sets:
            reached = reached and figures["precision"] >= 0.97 and figures["recall"] >= 0.85
    together = [example for examples in spam_sets.values() for example in examples]
    taught, held = learning.split(together)
    weights, bias, threshold = learning.fit(taught)
    model = classifier.model_of(**learning.packed(weights, bias, threshold))
    say("both spam sets", learning.measure(model, held))
    posts = coffee_posts()
    threshold = careful(model, posts, threshold)
    model = classifier.model_of(**learning.packed(weights, bias, threshold))
    say("as we ship it", learning.measure(model, held))
    shipped = classifier.start()
    wrongly = sum(shipped.score(text) >= shipped.threshold for text in posts)
    print(f"real posts about coffee: {wrongly} of {len(posts)} would wait for a look")
    began = time.perf_counter()
    for text in posts[:100]:
        model.score(text)
    print(f"a judgement takes {(time.perf_counter() - began) * 10:.1f} ms")
    if "--ship" in sys.argv:
        weights, bias, threshold = learning.fit(list(dict(together).items()))
        model = classifier.model_of(**learning.packed(weights, bias, threshold))
        whole = learning.packed(weights, bias, careful(model, posts, threshold))
        classifier.START.write_text(json.dumps(whole, indent=0) + "\n", encoding="utf-8")
        print(f"wrote {classifier.START}")
    print("the spam sets reach precision 0.97 at recall 0.85" if reached else "BELOW precision 0.97 at recall 0.85")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
