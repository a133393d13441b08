"""Brings .venv to what a lock file says; does nothing when it is there already.

    python3 scripts/environment.py requirements.lock

Standard library only, for any Python 3 that somebody may have: it says in one line what is missing.
A stamp in the environment keeps the hash of each lock file that was installed.
"""

import hashlib
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "installed.json")
# The larger set holds the smaller one: installing it settles both.
INCLUDES = {"requirements-dev.lock": ["requirements.lock"]}


def stop(message):
    sys.exit("community: " + message)


def digest(name):
    with open(os.path.join(ROOT, name), "rb") as lock:
        return hashlib.sha256(lock.read()).hexdigest()


def installed():
    try:
        with open(STAMP) as stamp:
            return json.load(stamp)
    except (OSError, ValueError):
        return {}


def usable():
    return subprocess.call([PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0


def create():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        version = "%d.%d" % sys.version_info[:2]
        stop(
            "this Python has no venv. On Debian or Ubuntu: apt-get install python%s-venv "
            "(elsewhere: a Python from python.org or your package manager has it)" % version
        )
    print("Creating .venv with Python %d.%d.%d" % sys.version_info[:3], flush=True)
    if subprocess.call([sys.executable, "-m", "venv", "--clear", VENV]) != 0:
        stop("could not create " + VENV)


def install(name):
    print("Installing %s (once, until it changes)" % name, flush=True)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    if subprocess.call([*command, "--require-hashes", "-r", os.path.join(ROOT, name)]) != 0:
        stop("could not install %s; the lines above say why" % name)


def main(name):
    if sys.version_info < (3, 11):
        stop("Python 3.11 or newer is needed, %s is %d.%d" % ((sys.executable,) + sys.version_info[:2]))
    wanted, stamp = digest(name), installed()
    if stamp.get(name) == wanted and os.path.exists(PYTHON):
        return
    if not (os.path.exists(PYTHON) and usable()):
        create()
        stamp = {}
    install(name)
    stamp[name] = wanted
    for smaller in INCLUDES.get(name, []):
        stamp[smaller] = digest(smaller)
    with open(STAMP, "w") as file:
        json.dump(stamp, file)


if __name__ == "__main__":
    main(sys.argv[1])
