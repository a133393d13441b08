"""What the spam filter learns from: the moderators' own decisions. scikit-learn is needed here alone, in the worker.

It goes on from the numbers it has, so that a community with few decisions keeps what it knew. New numbers come into
force only when they are right often enough on decisions they were not shown.
"""

import base64
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model as Row

from community.accounts.models import TrustLevel
from community.core import clock

from . import classifier, features
from .models import Flag, Look, Moderated, SpamAct, Weights

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

logger = logging.getLogger(__name__)

SEED, HELD_BACK = 17, 0.3  # of what is learnt from, this part is never shown, and judges the rest
FEWEST = 50  # of each sort: fewer say nothing about how often it is right
FEWEST_NEW = 25  # decisions since the last time
PRECISION, RECALL = 0.97, 0.5  # new numbers must reach both; of the public sets more is asked (bench/moderation.py)
MARGIN = 0.01  # a little more than is asked, for what was not seen, where the texts are few
LOWEST = 0.2  # a score under which nothing is looked at, whatever the examples say
HOUSE_COUNTS = 10  # a text of the house is one of many that are like it
TURNS = 4  # times that the examples are dealt anew to set a threshold
MOST = 5_000  # the newest of each sort

Example = tuple[str, bool]


def matrix(texts: Sequence[str]) -> "csr_matrix":
    """A row for each text: its features, weighted."""
    from scipy.sparse import csr_matrix

    starts: list[int] = [0]
    columns: list[int] = []
    values: list[float] = []
    for text in texts:
        found = features.weighted(text)
        columns += found.keys()
        values += found.values()
        starts.append(len(columns))
    return csr_matrix((values, columns, starts), shape=(len(texts), features.PLACES))


def split(examples: Iterable[Example]) -> tuple[list[Example], list[Example]]:
    """What is learnt from, and what is held back: 70 to 30, the same each time. A text twice counts once."""
    from sklearn.model_selection import train_test_split

    once = list(dict(examples).items())
    taught, held = train_test_split(once, test_size=HELD_BACK, random_state=SEED, stratify=[spam for _, spam in once])
    return taught, held


def fit(examples: Sequence[Example], *, house: Sequence[str] = ()) -> tuple[Any, float, float]:
    """Weights, bias and threshold from scratch. `house` are texts of the house's own tone: none of them is spam.

    The threshold is set by cross-validation on these examples alone: the mean of some, for one depends on its luck.
    """
    from numpy import mean
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    rows, spam = matrix([text for text, _ in examples]), [is_spam for _, is_spam in examples]
    more = matrix(house)
    judge = LogisticRegression(C=30, solver="liblinear", random_state=SEED)

    def taught(wanted: Sequence[int]) -> Any:
        known = vstack([rows[wanted], more]).tocsr() if house else rows[wanted]
        count = [1] * len(wanted) + [HOUSE_COUNTS] * len(house)
        return judge.fit(known, [*(spam[at] for at in wanted), *[False] * len(house)], sample_weight=count)

    thresholds = []
    for turn in range(TURNS):
        scored: list[tuple[float, bool]] = []
        for known, asked in StratifiedKFold(5, shuffle=True, random_state=SEED + turn).split(rows, spam):
            scores = taught(known).predict_proba(rows[asked])[:, 1]
            scored += zip(scores, (spam[at] for at in asked), strict=True)
        thresholds.append(threshold_for(scored, PRECISION))
    taught(range(len(spam)))
    return judge.coef_[0], float(judge.intercept_[0]), float(mean(thresholds))


def threshold_for(scored: Sequence[tuple[float, bool]], precision: float = PRECISION + MARGIN) -> float:
    """The lowest score from which on so many are right."""
    best, right = 1.0, 0
    for seen, (score, spam) in enumerate(sorted(scored, key=lambda pair: -pair[0]), start=1):
        right += spam
        if right / seen >= precision:
            best = float(score)
    return max(LOWEST, best)


def packed(weights: Any, bias: float, threshold: float) -> dict[str, Any]:
    """As they are stored: a signed byte each."""
    scale = max(abs(float(weights.max())), abs(float(weights.min())), 1e-9) / 127
    numbers = bytes(int(round(weight / scale)) & 0xFF for weight in weights)
    return {
        "numbers": base64.b64encode(numbers).decode(),
        "scale": scale,
        "bias": bias,
        "threshold": min(round(threshold, 4), 0.9999),  # no text reaches one
    }


def measure(model: classifier.Model, examples: Iterable[Example]) -> dict[str, Any]:
    """Precision and recall of what would be looked at."""
    judged = [(model.score(text) >= model.threshold, spam) for text, spam in examples]
    caught = sum(hit and spam for hit, spam in judged)
    hits, spam = sum(hit for hit, _ in judged), sum(is_spam for _, is_spam in judged)
    return {
        "texts": len(judged), "spam": spam, "caught": caught, "wrongly": hits - caught,
        "precision": round(caught / hits, 3) if hits else 1.0, "recall": round(caught / spam, 3) if spam else 1.0,
    }  # fmt: skip


def decisions() -> list[Example]:
    """What moderators have decided: the texts, and whether they were spam."""
    spam: set[tuple[int, int]] = set()
    fine: set[tuple[int, int]] = set()
    flags = Flag.objects.filter(reason=Flag.Reason.SPAM).exclude(state=Flag.State.OPEN).order_by("-pk")[:MOST]
    for type_id, pk, state in flags.values_list("target_type", "target_id", "state"):
        (spam if state == Flag.State.UPHELD else fine).add((type_id, pk))
    looks = Look.objects.filter(decided_at__isnull=False, kept=True).order_by("-pk")[:MOST]
    fine |= set(looks.values_list("target_type", "target_id"))
    for hidden in SpamAct.objects.filter(undone_at=None).values_list("hidden", flat=True):
        for name, pk, _before in hidden:
            spam.add((ContentType.objects.get_by_natural_key(*name.split(".")).pk, pk))
    return [*_texts(spam, True), *_texts(fine - spam, False), *_trusted()]


def _texts(posts: set[tuple[int, int]], spam: bool) -> list[Example]:
    found: list[Example] = []
    for type_id in {type_id for type_id, _ in posts}:
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not _has_text(model):
            continue
        ids = sorted(pk for kind, pk in posts if kind == type_id)
        for start in range(0, len(ids), 500):
            rows = model._base_manager.filter(pk__in=ids[start : start + 500])
            found += [(text, spam) for text in rows.values_list("body_text", flat=True) if text]
    return found


def _trusted() -> list[Example]:
    """What members of some trust have written and everybody reads: the house's own tone."""
    found: list[Example] = []
    for model in apps.get_models():
        if issubclass(model, Moderated) and _has_text(model) and hasattr(model, "author"):
            rows = model._base_manager.filter(
                visibility=Moderated.Visibility.VISIBLE, author__trust__gte=TrustLevel.REGULAR
            ).order_by("-pk")
            found += [(text, False) for text in rows.values_list("body_text", flat=True)[:500] if text]
    return found


def _has_text(model: type[Row]) -> bool:
    return any(field.name == "body_text" for field in model._meta.fields)


def learn() -> Weights | None:
    """Go on from what is known with the moderators' decisions. None when there are too few, or it would be no better.

    The sweep asks each week; so does `manage.py train_spam_filter`.
    """
    examples = decisions()
    spam = sum(is_spam for _, is_spam in dict(examples).items())
    last = Weights.objects.order_by("-pk").first()
    news = len(dict(examples)) - (last.figures.get("examples", 0) if last else 0)
    if min(spam, len(dict(examples)) - spam) < FEWEST or news < FEWEST_NEW:
        return None
    from numpy import array as numbers_of
    from sklearn.linear_model import SGDClassifier
    from sklearn.model_selection import cross_val_predict

    known = classifier.in_force()
    taught, held = split(examples)
    judge = SGDClassifier(loss="log_loss", alpha=1e-4, max_iter=20, tol=None, random_state=SEED)
    rows, truth = matrix([text for text, _ in taught]), [is_spam for _, is_spam in taught]
    begin = {
        "coef_init": numbers_of([[number * known.scale for number in known.numbers]]),
        "intercept_init": numbers_of([known.bias]),
    }
    # As in fit(): what a text scores when it was taught says little about those to come.
    scores = cross_val_predict(judge, rows, truth, cv=5, method="predict_proba", params=begin)[:, 1]
    judge.fit(rows, truth, **begin)
    threshold = threshold_for(list(zip(scores, truth, strict=True)))
    made = packed(judge.coef_[0], float(judge.intercept_[0]), threshold)
    figures = measure(classifier.model_of(**made), held)
    figures |= {"examples": len(dict(examples)), "held_back": HELD_BACK, "seed": SEED}
    if figures["precision"] < PRECISION or figures["recall"] < RECALL:
        logger.warning("The spam filter learnt nothing better: %s", figures)
        return None
    return Weights.objects.create(**made, figures=figures, made_at=clock.now())
