"""Is it spam? A score between 0 and 1, and from where on a moderator looks first. It never refuses anything.

Another judge is a class with `judge(text)`, named by the setting SPAM_CLASSIFIER. Ours adds up what was learnt
(`learning.py`, in the worker, with scikit-learn) in plain Python: a post takes it some milliseconds.
"""

import base64
import json
import math
from array import array
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from . import features
from .models import Weights

START = Path(__file__).with_name("start_weights.json")


class Classifier(Protocol):
    def judge(self, text: str) -> tuple[float, float]:
        """The score of a text, and the score from which on somebody should look at it."""


@dataclass(frozen=True)
class Model:
    """A signed byte for each place, all times `scale`; what came out is judged from `threshold` on."""

    numbers: array
    scale: float
    bias: float
    threshold: float

    def score(self, text: str) -> float:
        found = features.weighted(text)
        if not found:
            return 0.0
        total = sum(self.numbers[place] * weight for place, weight in found.items()) * self.scale
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total + self.bias))))


def model_of(numbers: str, scale: float, bias: float, threshold: float) -> Model:
    return Model(array("b", base64.b64decode(numbers)), scale, bias, threshold)


class Learnt:
    """What was learnt last; before that what we ship (decision 0207)."""

    def judge(self, text: str) -> tuple[float, float]:
        model = in_force()
        return model.score(text), model.threshold


class Silent:
    """For whoever wants none."""

    def judge(self, text: str) -> tuple[float, float]:
        return 0.0, 1.0


def in_force() -> Model:
    newest = Weights.objects.order_by("-pk").values_list("pk", "made_at").first()
    return start() if newest is None else _stored(*newest)


@lru_cache(maxsize=1)
def _stored(pk: int, made_at: datetime) -> Model:
    """Known by its moment, too: another database gives the same ids."""
    row = Weights.objects.get(pk=pk)
    return model_of(row.numbers, row.scale, row.bias, row.threshold)


@cache
def start() -> Model:
    kept = json.loads(START.read_text(encoding="utf-8"))
    return model_of(kept["numbers"], kept["scale"], kept["bias"], kept["threshold"])


@cache
def _judge(path: str) -> Classifier:
    return import_string(path)()


def judge(text: str) -> tuple[float, float]:
    return _judge(settings.SPAM_CLASSIFIER).judge(text)
