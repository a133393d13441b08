"""Writes requirements.lock and requirements-dev.lock: every package beneath, for every platform, with hashes."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".cache" / "lock"
UV = "uv==0.13.9"
HEADER = "# Made by `make lock` from {source}. Not for editing.\n"


def main() -> None:
    if not (TOOLS / "bin" / "uv").exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(TOOLS)])
        subprocess.check_call([str(TOOLS / "bin" / "pip"), "install", "--quiet", UV])
    for name in ("requirements", "requirements-dev"):
        target = ROOT / f"{name}.lock"
        options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--quiet"]
        output = ["--output-file", target.name]
        subprocess.check_call(
            [str(TOOLS / "bin" / "uv"), "pip", "compile", *options, *sys.argv[1:], *output, f"{name}.txt"],
            cwd=ROOT,
        )
        target.write_text(HEADER.format(source=f"{name}.txt") + target.read_text())


if __name__ == "__main__":
    main()
