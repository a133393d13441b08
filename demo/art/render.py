"""Render every drawing of this folder to the picture that the demo loads. Run it when a drawing changes:

    .venv/bin/python demo/art/render.py

The pictures are kept beside the drawings, so that loading the demo needs no renderer.
"""

import io
import sys
from pathlib import Path

import resvg_py
from PIL import Image

HERE = Path(__file__).resolve().parent
WIDTH = 1600
AVATAR_WIDTH = 400
QUALITY = 82


def render(drawing: Path) -> Path:
    """One drawing as WebP beside it; flat colours, so that moderate quality shows no trace."""
    width = AVATAR_WIDTH if drawing.name.startswith("avatar-") else WIDTH
    png = resvg_py.svg_to_bytes(svg_string=drawing.read_text(encoding="utf-8"), width=width, skip_system_fonts=True)
    picture = drawing.with_suffix(".webp")
    Image.open(io.BytesIO(bytes(png))).convert("RGB").save(picture, "WEBP", quality=QUALITY, method=6)
    return picture


if __name__ == "__main__":
    total = 0
    for drawing in sorted(HERE.glob("*.svg")):
        size = render(drawing).stat().st_size
        total += size
        sys.stdout.write(f"{size // 1024:5d} kB  {drawing.stem}\n")
    sys.stdout.write(f"{total // 1024:5d} kB  in all\n")
