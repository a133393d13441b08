import json
import logging

import pytest

from community.core.logs import JsonFormatter, LineFormatter, RequestIdFilter, request_id


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("community.test").makeRecord(
        "community.test", logging.WARNING, __file__, 1, message, args, None, extra=extra
    )
    assert RequestIdFilter().filter(made)
    return made


@pytest.mark.parametrize("evil", ["a\nERROR forged", "a\r\nb", "a\x1b[2Jb", "a\u2028b"])
def test_no_input_forges_a_second_line(evil: str) -> None:
    for formatter in (LineFormatter(), JsonFormatter()):
        line = formatter.format(record("Refused: %s", evil))
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line


def test_a_line_names_its_request() -> None:
    token = request_id.set("abc123")
    try:
        made = record("Hello", person=7)
    finally:
        request_id.reset(token)
    assert "[abc123] Hello" in LineFormatter().format(made)
    line = json.loads(JsonFormatter().format(made))
    assert (line["request_id"], line["message"], line["person"], line["level"]) == ("abc123", "Hello", 7, "WARNING")
    assert line["at"].endswith("+00:00")


def test_outside_of_a_request_there_is_none() -> None:
    assert json.loads(JsonFormatter().format(record("Hello")))["request_id"] == "-"
