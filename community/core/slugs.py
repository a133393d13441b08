from django.utils.text import slugify


def slug_of(title: str, longest: int = 80) -> str:
    """The words of a title as they stand in an address; unicode is kept, and it is never empty (RULINGS 20)."""
    slug = slugify(title, allow_unicode=True)[:longest].rstrip("-")
    return slug or "-"
