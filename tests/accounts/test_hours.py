"""What the foot of every page says of a department's hours is what its clocks keep (docs/decisions/0275)."""

import re

import pytest
from django.test import Client
from django.utils import translation

from community.accounts.hours import in_words, is_the_same
from tests import factories

pytestmark = pytest.mark.once
WORKDAYS = {str(day): [["08:00", "18:00"]] for day in range(5)}


@pytest.mark.parametrize(
    ("hours", "zone", "words"),
    [
        (WORKDAYS | {"5": [["09:00", "13:00"]]}, "Europe/Berlin", "Mon–Fri 08:00–18:00; Sat 09:00–13:00 (Berlin)"),
        ({"0": [["13:00", "17:00"], ["08:00", "12:00"]]}, "UTC", "Mon 08:00–12:00, 13:00–17:00 (UTC)"),
        ({"0": [["08:00", "12:00"]], "2": [["08:00", "12:00"]], "3": []}, "", "Mon 08:00–12:00; Wed 08:00–12:00"),
        ({"5": [["00:00", "24:00"]], "6": [["00:00", "24:00"]]}, "America/New_York", "Sat–Sun 00:00–24:00 (New York)"),
        ({}, "Europe/Berlin", ""),
    ],
)  # fmt: skip
def test_hours_in_words(hours: dict[str, list[list[str]]], zone: str, words: str) -> None:
    assert in_words(hours, zone) == words


def test_in_the_readers_language_and_words_that_only_repeat_them() -> None:
    with translation.override("de"):
        assert in_words(WORKDAYS, "Europe/Berlin") == "Mo–Fr 08:00–18:00 (Berlin)"
        assert is_the_same("Mo-Fr, 08:00 - 18:00", WORKDAYS)
    assert is_the_same("Mon-Fri 08:00–18:00", WORKDAYS) and not is_the_same("Mon–Fri 08:00–20:00", WORKDAYS)


@pytest.mark.django_db
def test_the_foot_shows_the_hours_and_what_is_said_beside_them(client: Client) -> None:
    factories.a_department("plain", name="Plain", hours=WORKDAYS)
    factories.a_department("repeats", name="Repeats", hours=WORKDAYS, hours_text="Mon-Fri 08:00-18:00")
    factories.a_department("differs", name="Differs", hours=WORKDAYS, hours_text="By telephone until 20:00")
    factories.a_department("words", name="Words", hours={}, hours_text="Whenever the light is on")
    factories.a_department("none", name="Nothing known", hours={})
    foot = client.get("/help/").content.decode().rpartition("<footer")[2]
    said = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", foot))
    plain = "Mon–Fri 08:00–18:00 (Berlin)"
    assert said == {
        "Plain": plain, "Repeats": plain, "Differs": f"{plain}<br>By telephone until 20:00",
        "Words": "Whenever the light is on",
    }  # fmt: skip
