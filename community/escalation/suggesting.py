"""Which department a case is for: learned from where settled cases went, said with the words that led to it.

Training needs scikit-learn and runs in the worker. What it finds is a table of weights (a RoutingModel row); a page
adds up the weights of the words it has, in a millisecond and without the library.

The model: words and pairs of words that stand in three cases at least, the 3,000 that tell departments apart best
(chi-squared), tf-idf with sublinear counts, and a logistic regression with balanced classes. It is measured on the
fifth of the cases that it did not see: the newest ones, as it will meet newer ones still.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from community.core import clock

from .models import Escalation, EscalationStep, RoutingModel

WORDS = 3000  # that are kept
LEAST_CASES, LEAST_OF_A_CLASS = 40, 5  # below that a suggestion would be a guess
NEWEST = 20_000  # cases that are learned from: routing of years ago was another house's
HELD_BACK = 5  # one case in five
SURE = 0.4  # below this chance nothing is suggested
PHRASES = 4
KEPT_MODELS = 5
_WORD = re.compile(r"[^\W\d_]{2,}")
# Words of grammar, English and German, that would only be noise among the phrases shown.
STOP = frozenset(
    "the and for that this with have has had was were are but not you your from they them their there what when which "
    "who how why can could would will just about after before into out over than then very also been its our his her "
    "she him any all one two get got does did don is it in on of to my me we so if as at be an or do no by up am "
    "der die das und oder aber nicht mit von für auf ist ein eine einen einem einer ich du er sie es wir ihr mein "
    "meine sich auch nur noch schon bei nach aus wie was wenn dann den dem des im am zum zur hat habe haben war sind "
    "kann".split()
)


def words_of(text: str) -> list[str]:
    """Words and pairs of neighbouring words, as both training and pages count them."""
    words = [word for word in _WORD.findall(text.casefold()) if word not in STOP]
    return words + [f"{a} {b}" for a, b in zip(words, words[1:], strict=False)]


# Saying


@dataclass(frozen=True)
class Suggestion:
    """A department's id (or a tag, in the bench), how sure, and the words that led to it, the strongest first."""

    label: str
    chance: float
    phrases: tuple[str, ...]


def suggest(weights: dict[str, Any], text: str) -> Suggestion | None:
    """What the weights say of a text; None when too little in it is known, or two departments are as likely."""
    ranked = _score(weights, text)
    if ranked is None:
        return None
    chances, values, best = ranked
    table = weights["words"]
    led = sorted(
        ((value * table[word][1 + best], word) for word, value in values.items() if table[word][1 + best] > 0),
        reverse=True,
    )
    phrases: list[str] = []
    for _weight, word in led:
        if not any(word in known or known in word for known in phrases):
            phrases.append(word)
        if len(phrases) == PHRASES:
            break
    if chances[best] < SURE or not phrases:
        return None
    return Suggestion(weights["classes"][best], chances[best], tuple(phrases))


def _score(weights: dict[str, Any], text: str) -> tuple[list[float], dict[str, float], int] | None:
    table = weights["words"]
    counts = Counter(word for word in words_of(text) if word in table)
    if not counts:
        return None
    values = {word: (1 + math.log(count)) * table[word][0] for word, count in counts.items()}
    norm = math.sqrt(sum(value * value for value in values.values())) or 1
    values = {word: value / norm for word, value in values.items()}
    scores = list(weights["intercepts"])
    for word, value in values.items():
        for place, weight in enumerate(table[word][1:]):
            scores[place] += value * weight
    top = max(scores)
    parts = [math.exp(score - top) for score in scores]
    chances = [part / sum(parts) for part in parts]
    return chances, values, chances.index(max(chances))


_kept: tuple[int, RoutingModel] | None = None  # the newest model, by its id: its weights are read once a process


NEWEST_MODEL = RoutingModel.objects.order_by("-pk").values("pk")[:1]


def newest(pk: int | None) -> RoutingModel | None:
    """The model in use; `pk` is what NEWEST_MODEL says, which a page's own query brings along. The weights are read
    when they are new."""
    global _kept
    if pk is None:
        return None
    if _kept is None or _kept[0] != pk:
        found = RoutingModel.objects.filter(pk=pk).first()
        if found is None:
            return None
        _kept = (pk, found)
    return _kept[1]


def text_of(case: Escalation, tags: str = "") -> str:
    """What a case is judged by: its words, its tags, its product and its kind."""
    thread = case.thread
    product = thread.product.slug.replace("-", " ") if thread.product else ""
    return f"{thread.title}\n{thread.title}\n{thread.body_text[:4000]}\n{tags}\n{product}\n{thread.kind}"


# Learning


@dataclass(frozen=True)
class Measured:
    """How a model did on cases that it had not seen."""

    weights: dict[str, Any]
    accuracy: float
    majority: float
    held_back: int
    learned: int
    mis_routed: dict[str, float]


def learn(texts: Sequence[str], labels: Sequence[str], *, held_back: Sequence[bool]) -> Measured:
    """Train on what is not held back and measure on what is; then learn from all of it. Loads scikit-learn."""
    seen = [place for place, back in enumerate(held_back) if not back]
    unseen = [place for place, back in enumerate(held_back) if back]
    trial = train([texts[place] for place in seen], [labels[place] for place in seen])
    said = [_label(trial, texts[place]) for place in unseen]
    right = sum(said[n] == labels[place] for n, place in enumerate(unseen))
    commonest = Counter(labels[place] for place in seen).most_common(1)[0][0]
    of_majority = sum(labels[place] == commonest for place in unseen)
    wrong: Counter[str] = Counter()
    named: Counter[str] = Counter(said)
    for n, place in enumerate(unseen):
        wrong[said[n]] += said[n] != labels[place]
    return Measured(
        weights=train(texts, labels),
        accuracy=right / len(unseen),
        majority=of_majority / len(unseen),
        held_back=len(unseen),
        learned=len(texts),
        mis_routed={label: round(wrong[label] / count, 3) for label, count in named.items()},
    )


def _label(weights: dict[str, Any], text: str) -> str:
    """Always an answer, for measuring: the likeliest class, the commonest where no word is known."""
    ranked = _score(weights, text)
    if ranked is None:
        return str(weights["commonest"])
    return str(weights["classes"][ranked[2]])


def train(texts: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Weights as they are stored; "words" has, for each, its idf and a weight per class."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.feature_selection import SelectKBest, chi2
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(analyzer=words_of, min_df=3 if len(texts) > 200 else 2, sublinear_tf=True, norm=None)
    matrix = vectorizer.fit_transform(texts)
    chosen = SelectKBest(chi2, k=min(WORDS, matrix.shape[1])).fit(matrix, labels)
    kept = chosen.get_support(indices=True)
    from sklearn.preprocessing import normalize

    model = LogisticRegression(C=10, class_weight="balanced", max_iter=300)
    model.fit(normalize(chosen.transform(matrix)), labels)
    classes = [str(label) for label in model.classes_]
    weights, intercepts = model.coef_.tolist(), model.intercept_.tolist()
    if len(classes) == 2:  # scikit-learn keeps one row for two
        weights, intercepts = [[0.0] * len(kept), weights[0]], [0.0, intercepts[0]]
    names, idf = vectorizer.get_feature_names_out(), vectorizer.idf_
    return {
        "classes": classes,
        "commonest": Counter(map(str, labels)).most_common(1)[0][0],
        "intercepts": [round(value, 4) for value in intercepts],
        "words": {
            str(names[column]): [round(float(idf[column]), 4), *(round(row[place], 4) for row in weights)]
            for place, column in enumerate(kept)
        },
    }


def settled_cases() -> list[Escalation]:
    """Cases that say where such a case belongs: a person of the department settled or looked after it, or somebody
    sent it there by hand; the newest, in order of time."""
    routed = EscalationStep.objects.filter(escalation=OuterRef("pk"), kind="routed")
    found = Escalation.objects.filter(
        Q(acknowledged_by__department=F("department")) | Exists(routed), department__isnull=False,
        department__archived_at=None, thread__visibility="visible", acknowledged_at__isnull=False,
    ).select_related("thread__product").order_by("-started_at", "-pk")  # fmt: skip
    return list(found[:NEWEST])[::-1]


def retrain() -> RoutingModel | None:
    """Learn anew from what was settled; None when there is too little to learn from, or nothing new. For the worker."""
    last = RoutingModel.objects.order_by("-pk").first()
    if last is not None and last.trained_at > clock.now() - timedelta(hours=20):
        return last
    found = settled_cases()
    common = {
        label for label, count in Counter(case.department_id for case in found).items() if count >= LEAST_OF_A_CLASS
    }
    found = [case for case in found if case.department_id in common]
    if len(found) < LEAST_CASES or len(common) < 2:
        return None
    tags = _tags(case.thread_id for case in found)
    texts = [text_of(case, tags.get(case.thread_id, "")) for case in found]
    labels = [str(case.department_id) for case in found]
    first = len(found) - len(found) // HELD_BACK
    if len(set(labels[:first])) < 2:
        return None
    measured = learn(texts, labels, held_back=[place >= first for place in range(len(found))])
    made = RoutingModel.objects.create(
        trained_at=clock.now(), weights=measured.weights, cases=measured.learned, held_back=measured.held_back,
        accuracy=measured.accuracy, majority=measured.majority, mis_routed=measured.mis_routed,
    )  # fmt: skip
    kept = RoutingModel.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT_MODELS]
    RoutingModel.objects.exclude(pk__in=list(kept)).delete()
    return made


def _tags(threads: Iterable[int]) -> dict[int, str]:
    from community.questions.models import Thread

    found: dict[int, str] = {}
    rows = Thread.tags.through.objects.filter(thread__in=list(threads)).values_list("thread", "tag__name")
    for thread, name in rows:
        found[thread] = f"{found.get(thread, '')} {name}".strip()
    return found


def sweep() -> None:
    """Ticked by the worker once a day."""
    retrain()
