import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

GRACE = 25  # seconds that a child gets to finish what it is doing


class Command(BaseCommand):
    help = "Serves the site and runs the background worker; both end together. HOST, PORT and DATA say where."
    requires_system_checks: list[str] = []  # `prepare` and the children run them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="first bring database and files to this release")
        parser.add_argument("--demo", action="store_true", help="with --prepare: load the demo community once")
        parser.add_argument("--no-worker", action="store_true", help="the site alone; the worker runs elsewhere")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = False
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self.stop)
        check_port(settings.HOST, settings.PORT)
        try:
            if options["prepare"]:
                call_command("prepare", demo=options["demo"], stdout=self.stdout)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        manifest = getattr(staticfiles_storage, "manifest_name", None)
        if manifest and not staticfiles_storage.exists(manifest):
            raise CommandError("Static files are not collected; run: manage.py prepare")
        connections.close_all()
        self.serve(with_worker=not options["no_worker"])

    def stop(self, signum: int, frame: FrameType | None) -> None:
        if not self.stopping and hasattr(self, "children"):
            self.stopping = True
            return
        raise KeyboardInterrupt

    def serve(self, *, with_worker: bool) -> None:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
            "SERVE_PARENT": str(os.getpid()),
            "PYTHONUNBUFFERED": "1",
        }
        manage = str(settings.ROOT / "manage.py")
        commands = {"site": ["-m", "gunicorn", "--config", str(settings.ROOT / "gunicorn.conf.py")]}
        if with_worker:
            commands["worker"] = [manage, "worker", "--skip-checks", "--parent", str(os.getpid())]
        # A session of their own: Ctrl-C reaches this process alone, which then ends them in good order.
        self.children = {
            name: subprocess.Popen(  # noqa: S603
                [sys.executable, *command], cwd=settings.ROOT, env=environment, start_new_session=True
            )
            for name, command in commands.items()
        }
        ended = ""
        try:
            self.announce(with_worker=with_worker)
            while not self.stopping and not ended:
                ended = next((name for name, child in self.children.items() if child.poll() is not None), "")
                time.sleep(0.2)
        except KeyboardInterrupt:
            self.stopping = True
        finally:
            codes = self.end()
        if ended and not self.stopping:
            raise CommandError(f"The {ended} ended by itself (exit code {codes[ended]}), so everything was stopped.")
        self.stdout.write("Stopped.")

    def announce(self, *, with_worker: bool) -> None:
        """Wait for the first answer, then say where and how to come in."""
        host = "127.0.0.1" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104
        address = f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"
        while not answers(f"{address}/healthz"):
            if self.stopping or any(child.poll() is not None for child in self.children.values()):
                return
            time.sleep(0.1)
        logins = settings.DATA_DIR / "demo-logins.txt"
        if settings.DEMO_ALLOWED and logins.exists():
            self.stdout.write("\n" + logins.read_text().rstrip())
        what = "Site and worker are" if with_worker else "The site is"
        self.stdout.write(f"\n{what} running on {address}/  (Ctrl-C stops)")
        self.stdout.flush()

    def end(self) -> dict[str, int | None]:
        """Ask all, wait, then insist."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + GRACE
        for child in self.children.values():
            try:
                child.wait(timeout=max(0.1, deadline - time.monotonic()))
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                child.kill()
                child.wait()
        return {name: child.returncode for name, child in self.children.items()}


def check_port(host: str, port: int) -> None:
    """Find out before anything is set up, and in one line, that the address cannot be had."""
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror:
        raise CommandError(f"HOST={host} is no address of this machine.") from None
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except PermissionError:
            raise CommandError(f"Port {port} needs rights that this user lacks; try PORT=8000.") from None
        except OSError as error:
            if "in use" in str(error):
                raise CommandError(
                    f"Port {port} on {host} is in use; stop what listens there or choose another: PORT={port + 1}"
                ) from None
            raise CommandError(f"Cannot listen on {host} port {port}: {error.strerror}.") from None


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310
            return True
    except urllib.error.HTTPError:
        return True  # some server speaks there; what it says is its own affair
    except OSError:
        return False
