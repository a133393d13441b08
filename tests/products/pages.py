"""Pages with pictures, made as the loader makes them."""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from community.pages import services as pages
from products.models import Product
from products.pages import ProductPage
from tests import factories


def a_picture(folder: Path, name: str = "front.webp", colour: int = 0) -> Path:
    path = folder / name
    if not path.exists():
        drawn = io.BytesIO()
        Image.new("RGB", (1300, 975), (colour % 255, 90, 60)).save(drawn, "WEBP")
        path.write_bytes(drawn.getvalue())
    return path


def a_product_page(folder: Path, product: Product | None = None, **told: Any) -> ProductPage:
    product = product or factories.a_product()
    picture = a_picture(folder, f"{product.slug}.webp", product.pk * 7)
    data = {
        "slug": product.slug,
        "name": product.name,
        "tagline": "Two boilers, one steady hand.",
        "description": "It keeps two boilers hot.\n\n> **Warning.** Let it cool first.",
        "specification": [{"group": "Size", "rows": [["Width", "36 cm"], ["Weight", "19.4 kg"]]}],
        "highlights": ["Coffee and steam at once"],
        "in_the_box": ["Machine with cable"],
        "variants": [{"name": "Moss", "sku": f"BR-{product.slug}"}],
        "spare_parts": [{"number": "10-204", "name": "Group gasket", "minutes": 5, "tools": "screwdriver"}],
        "documents": ["User manual"],
        "gallery": [
            {"file": picture.name, "kind": "hero", "alt": "The machine from the front.", "caption": "In Moss."}
        ],
        **told,
    }
    return pages.save_product_page(data, folder)
