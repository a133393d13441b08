"""`manage.py serve`: site and worker come up together, and go down together."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

from tests.primed import SQLite

pytestmark = [pytest.mark.slow, pytest.mark.once]
ROOT = Path(settings.ROOT)
Start = Callable[..., "Served"]


class Served:
    def __init__(self, data: Path, port: int, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "DATA": str(data), "PORT": str(port)}
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "manage.py", "serve", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_up(self) -> "Served":
        """Its own word that everything runs, then all children by id."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "running on" in line:
                return self
        raise AssertionError(f"ended with {self.process.wait()}")

    def wait_for_a_worker(self, seconds: float = 60) -> dict[str, Any]:
        """What /readyz says when the worker has said that it lives, or at the end: the site is up before it."""
        deadline = time.monotonic() + seconds
        while True:
            with urllib.request.urlopen(self.url + "/readyz", timeout=20) as answer:  # noqa: S310
                state: dict[str, Any] = json.load(answer)
            if state["queue"] == "up" or time.monotonic() > deadline:
                return state
            time.sleep(0.2)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=40)
        return self.process.returncode, output


def gone(processes: list[psutil.Process], seconds: float = 30) -> bool:
    """A process that has ended and was not yet waited for by its new parent counts as gone."""
    deadline = time.monotonic() + seconds
    while any(runs(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(runs(process) for process in processes)


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    template = SQLite({"TEST": {"NAME": str(tmp_path / "unused")}}, "")
    template.make_template()
    shutil.copyfile(template.template, tmp_path / "community.sqlite3")
    (tmp_path / "demo-logins.txt").write_text("mira  a customer\n")
    started: list[Served] = []

    def run(*arguments: str) -> Served:
        started.append(Served(tmp_path, port, *arguments))
        return started[-1]

    yield run
    for served in started:
        if served.process.poll() is None:
            processes = served.children()
            served.process.kill()
            served.process.wait()
            assert gone(processes)
        if served.process.stdout is not None:
            served.process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_both_and_stops_both(start: Start, number: signal.Signals) -> None:
    served = start("--prepare").wait_until_up()
    state = served.wait_for_a_worker()
    assert state["ready"] and state["queue"] == "up"
    processes = served.children()
    assert len(processes) >= 3  # gunicorn, its process, the worker
    code, output = served.end(number)
    assert code == 0
    assert "Stopped." in output and "Traceback" not in output
    assert gone(processes, 1)


def test_when_one_dies_all_end(start: Start) -> None:
    served = start().wait_until_up()
    processes = served.children()
    next(process for process in processes if "worker" in process.cmdline()).kill()
    output, _ = served.process.communicate(timeout=40)
    assert served.process.returncode == 1
    assert "The worker ended by itself (exit code -9), so everything was stopped." in output
    assert gone(processes, 1)


def test_a_killed_serve_leaves_nobody_behind(start: Start) -> None:
    served = start().wait_until_up()
    processes = served.children()
    served.process.kill()
    served.process.wait()
    assert gone(processes)


def test_a_port_in_use_is_said_in_one_line(start: Start, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        output, _ = start("--prepare").process.communicate(timeout=40)
    assert re.fullmatch(rf"CommandError: Port {port} on 127\.0\.0\.1 is in use; .*PORT={port + 1}\n", output)


def test_the_logins_of_the_demo_are_shown(start: Start) -> None:
    served = start()
    assert served.process.stdout is not None
    lines: list[str] = []
    for line in served.process.stdout:
        lines.append(line)
        if "running on" in line:
            break
    assert "mira  a customer\n" in lines
    assert f"Site and worker are running on {served.url}/" in lines[-1]
    assert served.end(signal.SIGTERM)[0] == 0
