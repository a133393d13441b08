"""What editors' tools and loaders do with pages; each function writes only what differs.

`data` is a plain dict as the files in `demo/` write it. Pages are published, so that the event log hears of them.
Days are counted back from `clock.now()` when a page is made and stay as they are then.
"""

import hashlib
import io
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override
from wagtail.documents.models import Document
from wagtail.fields import StreamField
from wagtail.models import Locale, Page, Site

from community.accounts.models import Department, User
from community.core import clock
from community.core.models import CommunityImage
from community.events.log import record
from community.questions.models import Thread
from products.gtin import digits_of
from products.models import Product, Shop
from products.pages import CataloguePage, GalleryItem, ProductPage, SoldAt
from products.prose import blocks_from_markdown, table, without_ids

from .models import (
    ContentPage,
    HelpArticlePage,
    HelpChange,
    HelpCredit,
    HelpIndexPage,
    HelpVote,
    HomePage,
    RelatedThread,
)

ABOUT_SLUG = "about"


@dataclass(frozen=True)
class Tree:
    """The pages that everything else hangs on."""

    home: HomePage
    catalogue: CataloguePage
    help: HelpIndexPage
    about: ContentPage


# Readers ----------------------------------------------------------------------------------------------------


@transaction.atomic
def say_whether_it_helped(
    article: HelpArticlePage, helpful: bool, *, by: User | None = None, visit: str = "", source: str = "visit"
) -> None:
    """One answer a person or visit; saying it again changes the answer, and twice the same is harmless."""
    who = {"voter": by} if by else {"source": source, "external_id": visit}
    if not by and not visit:
        raise ValueError("Somebody has to say it: a person, or a visit.")
    row = HelpVote.objects.select_for_update().filter(target=article, **who).first()
    previous = row.helpful if row else None
    if previous == helpful:
        return
    if row:
        row.helpful = helpful
        row.save(update_fields=["helpful"])
    else:
        try:
            with transaction.atomic():
                HelpVote.objects.create(target=article, helpful=helpful, created_at=clock.now(), **who)
        except IntegrityError:
            return  # the other tab was quicker
    record("help_article.judged", actor=by, subject=article, helpful=helpful, previous=previous)


def add_helpful_rows(article: HelpArticlePage, *, yes: int, no: int, source: str = "demo") -> int:
    """Judgements of a source without names, as rows of their own (RULINGS 21); returns how many were new."""
    known = set(HelpVote.objects.filter(target=article, source=source).values_list("external_id", flat=True))
    wanted = {f"{word}-{number}": word == "yes" for word, many in (("yes", yes), ("no", no)) for number in range(many)}
    rows = [
        HelpVote(target=article, source=source, external_id=name, helpful=helpful, created_at=clock.now())
        for name, helpful in wanted.items()
        if name not in known
    ]
    HelpVote.objects.bulk_create(rows, batch_size=500)
    return len(rows)


# The tree ---------------------------------------------------------------------------------------------------


@transaction.atomic
def ensure_tree(site: Site | None = None, locale: Locale | None = None) -> Tree:
    """Home, catalogue, help and the plain pages' parent; makes what is missing, changes nothing that is there.

    In another language than the site's own they are translations of those, so that Wagtail finds one from the other;
    all but the catalogue, which lists every product anyhow, wait offline until editors have written them.
    """
    locale = locale or Locale.get_default()
    if locale == Locale.get_default():
        return _tree(site, locale, None)
    own = ensure_tree(site)
    with override(locale.language_code):
        return _tree(site, locale, own)


def _tree(site: Site | None, locale: Locale, own: Tree | None) -> Tree:
    site = site or Site.objects.filter(is_default_site=True).select_related("root_page").first()
    home = HomePage.objects.filter(locale=locale).order_by("depth", "path").first()
    if home is None:
        root = Page.get_first_root_node()
        slug = "home" if locale == Locale.get_default() else f"home-{locale.language_code}"
        taken = root.get_children().filter(slug=slug).exists()
        home = HomePage(title=_("Home"), slug=f"{slug}-page" if taken else slug, locale=locale)
        if own is not None:
            home.translation_key, home.live = own.home.translation_key, False
        root.add_child(instance=home)
        if site is None:
            Site.objects.create(hostname="localhost", root_page=home, is_default_site=True)
        elif locale == Locale.get_default():
            site.root_page = home
            site.save()
    return Tree(
        home=home,
        catalogue=_child(home, CataloguePage, "products", _("Products"), own and own.catalogue),
        help=_child(home, HelpIndexPage, "help", _("Help"), own and own.help),
        about=_child(home, ContentPage, ABOUT_SLUG, _("About this community"), own and own.about),
    )


def _child(home: HomePage, model: type[Page], slug: str, title: str, source: Page | None) -> Any:
    found = model.objects.child_of(home).filter(slug=slug).first()
    if found is not None:
        return found
    page = model(title=title, slug=slug, locale=home.locale)
    if source is not None:
        page.translation_key, page.live = source.translation_key, model is CataloguePage
    return home.add_child(instance=page)


# Pictures ---------------------------------------------------------------------------------------------------


def save_image(path: Path | str, title: str = "", alt: str = "", by: User | None = None) -> CommunityImage:
    """The picture of a file; the same bytes are kept once. Alt text is set when the picture has none."""
    path = Path(path)
    content = path.read_bytes()
    # Wagtail keeps the same digest with each picture.
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    image = CommunityImage.objects.filter(file_hash=digest).first()
    if image is None:
        image = CommunityImage.objects.create(
            title=title or path.stem.replace("-", " "),
            alt=alt,
            file=ImageFile(io.BytesIO(content), name=path.name),
            file_hash=digest,
            file_size=len(content),
            uploaded_by_user=by,
            created_at=clock.now(),
        )
    elif alt and not image.alt:
        image.alt = alt
        image.save(update_fields=["alt"])
    return image


def save_document(path: Path | str, title: str, by: User | None = None) -> Document:
    """The paper of a file; the same bytes are kept once."""
    path = Path(path)
    content = path.read_bytes()
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    document = Document.objects.filter(file_hash=digest).first()
    if document is None:
        document = Document.objects.create(
            title=title,
            file=ContentFile(content, name=path.name),
            file_hash=digest,
            file_size=len(content),
            uploaded_by_user=by,
        )
    return document


def _paper(told: str | Mapping[str, str], folder: Path, by: User | None) -> dict[str, Any]:
    """A document as the file names it: by its title, with an address, or with a file."""
    if isinstance(told, str):
        return {"title": told, "file": None, "url": ""}
    file = save_document(_inside(folder, told["file"]), told["title"], by).pk if told.get("file") else None
    return {"title": told["title"], "file": file, "url": told.get("url", "")}


def _save_film(name: str, folder: Path) -> str:
    """A film or its captions in the media, under a name that says what is in it; nothing for nothing."""
    if not name:
        return ""
    path = _inside(folder, name)
    content = path.read_bytes()
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()[:12]
    kept = f"videos/{path.stem}-{digest}{path.suffix}"
    return kept if default_storage.exists(kept) else default_storage.save(kept, ContentFile(content))


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} does not lie in {folder}.")
    return path


def _picture_file(name: str, folder: Path) -> Path:
    """A drawing's rendered picture: `art/duo-hero.svg` lies beside it as WebP."""
    path = folder / name
    return path.with_suffix(".webp") if path.suffix == ".svg" else path


# Pages ------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_product_page(data: Mapping[str, Any], folder: Path, by: User | None = None, language: str = "") -> ProductPage:
    """The page of a product that is there already, as `demo/products.yaml` writes it; pictures lie in `folder`.

    `language` is the page's, when it isn't the site's own: it becomes a translation of the page that is there.
    """
    locale = Locale.objects.get_or_create(language_code=language)[0] if language else None
    tree = ensure_tree(locale=locale)
    product = Product.objects.get(slug=data["slug"])
    page = ProductPage.objects.child_of(tree.catalogue).filter(slug=product.slug).first()
    film = data.get("video") or {}
    repair = data.get("repairability") or {}
    years = repair.get("parts_kept_years")
    with override(tree.catalogue.locale.language_code):
        kept = _("Parts are kept for %(years)s years.") % {"years": years} if years else ""
    on_top = data.get("key_facts", [])
    wanted: dict[str, Any] = {
        "title": data["name"],
        "tagline": data["tagline"],
        "price_band": data.get("price_band", ""),
        "highlights": "\n".join(data.get("highlights", [])),
        "description": blocks_from_markdown(data.get("description", ""), f"{product.slug}/description"),
        "specification": [
            {
                "type": "group",
                "value": {
                    "heading": group["group"],
                    "rows": [
                        _item({"name": row[0], "value": str(row[1]), "on_top": row[0] in on_top})
                        for row in group["rows"]
                    ],
                },
            }
            for group in data.get("specification", [])
        ],
        "in_the_box": "\n".join(data.get("in_the_box", [])),
        "variants": [
            {
                "type": "variant",
                "value": {
                    "name": one["name"],
                    "sku": one.get("sku", ""),
                    "gtin": digits_of(str(one.get("gtin", ""))),
                    "note": one.get("note", ""),
                    "ended": bool(one.get("ended", False)),
                },
            }
            for one in data.get("variants", [])
        ],
        "variants_by": data.get("variants_by", ""),
        "documents": [{"type": "document", "value": _paper(paper, folder, by)} for paper in data.get("documents", [])],
        "spare_parts": [
            {
                "type": "part",
                "value": {
                    "number": str(part.get("number", "")),
                    "name": part["name"],
                    "wears": part.get("wears", ""),
                    "price_band": part.get("price_band", ""),
                    "minutes": part.get("minutes"),
                    "tools": part.get("tools", ""),
                },
            }
            for part in data.get("spare_parts", [])
        ],
        "repair_note": " ".join(note for note in (repair.get("score_note", ""), kept) if note),
        "video_title": film.get("title", ""),
        "video_length": film.get("length", ""),
        "video_url": film.get("url", ""),
        "video_file": _save_film(film.get("file", ""), folder),
        "video_captions": _save_film(film.get("captions", ""), folder),
        "video_transcript": film.get("transcript", ""),
        "search_description": data.get("seo_description", ""),
    }
    if film.get("poster"):
        wanted["video_poster"] = save_image(
            _picture_file(film["poster"], folder), f"{data['name']}: {film['title']}", by=by
        )
    gallery = [
        GalleryItem(
            image=save_image(_picture_file(one["file"], folder), f"{data['name']}, {one['kind']}", one["alt"], by),
            kind=one["kind"],
            alt=one["alt"],
            caption=one.get("caption", ""),
        )
        for one in data.get("gallery", [])
    ]
    shops = {shop.slug: shop for shop in Shop.objects.filter(slug__in=data.get("where_to_buy", []))}
    rows: dict[str, list[Any]] = {
        "gallery": gallery,
        "shops": [SoldAt(shop=shops[slug]) for slug in data.get("where_to_buy", [])],
    }
    if page is None:
        page = ProductPage(product=product, slug=product.slug, locale=tree.catalogue.locale)
        other = ProductPage.objects.filter(product=product).order_by("pk").first()
        if other is not None:
            page.translation_key = other.translation_key
    return _put(page, tree.catalogue, wanted, rows, by)


@transaction.atomic
def save_help_article(data: Mapping[str, Any], body: str, by: User | None = None) -> HelpArticlePage:
    """A help article: its front matter and its Markdown, as `demo/help/*.md` write them.

    Related articles are tied when both are there: save all once, then `relate_help_articles`. `related_threads` and
    `from_thread` are Thread rows or their ids.
    """
    tree = ensure_tree()
    now = clock.now()
    people = {person.username: person for person in User.objects.filter(username__in=_people_of(data))}
    department = Department.objects.filter(slug=data.get("department", "")).first()
    article = HelpArticlePage.objects.child_of(tree.help).filter(slug=data["slug"]).first()
    wanted: dict[str, Any] = {
        "title": data["title"],
        "summary": data["summary"],
        "body": blocks_from_markdown(body, f"help/{data['slug']}"),
        "keeper": people.get(data.get("owner", "")),
        "department": department,
        "search_terms": ", ".join(data.get("search_terms", [])),
        "pinned": bool(data.get("pinned", False)),
        "from_thread": _thread(data.get("from_thread")),
    }
    rows: dict[str, list[models.Model]] = {
        "credits": [HelpCredit(person=people[name]) for name in data.get("credit", []) if name in people],
        "related_threads": [
            RelatedThread(thread=_thread(one)) for one in data.get("related_threads", []) if _thread(one)
        ],
    }
    if article is None:
        article = HelpArticlePage(slug=data["slug"], locale=tree.help.locale)
        article.first_published_at = now - timedelta(days=data.get("days_ago", 0))
        wanted["checked_on"] = _day(now, data.get("last_checked_days_ago"))
        wanted["review_on"] = _day(now, -data["review_in_days"] if "review_in_days" in data else None)
        rows["changes"] = [
            HelpChange(changed_on=_day(now, one["days_ago"]), by=people.get(one.get("by", "")), summary=one["summary"])
            for one in data.get("changes", [])
        ]
    about = list(Product.objects.filter(slug__in=data.get("products", [])).order_by("pk"))
    article = _put(article, tree.help, wanted, rows, by, ties={"products": about})
    tally = data.get("helpful") or {}
    if tally:
        add_helpful_rows(article, yes=tally.get("yes", 0), no=tally.get("no", 0))
    return article


@transaction.atomic
def relate_help_articles(slug: str, related: Sequence[str]) -> None:
    """Tie an article to others that are there; the last step of loading the help."""
    tree = ensure_tree()
    article = HelpArticlePage.objects.child_of(tree.help).get(slug=slug)
    others = {page.slug: page for page in HelpArticlePage.objects.child_of(tree.help).filter(slug__in=related)}
    wanted = [others[slug] for slug in related if slug in others]
    if {page.pk for page in article.related_articles.all()} != {page.pk for page in wanted}:
        article.related_articles.set(wanted)
        _publish(article, None)


@transaction.atomic
def save_home(
    data: Mapping[str, Any],
    *,
    image: CommunityImage | None = None,
    image_alt: str = "",
    changes: Iterable[Mapping[str, Any]] = (),
    by: User | None = None,
) -> HomePage:
    """The home page: the `home` part of `demo/pages.yaml`, its picture, and what changed for whom.

    `changes` are notes as `demo/release_notes.yaml` writes them: `you_said`, `we_did`, `did_it_help`.
    """
    home = ensure_tree().home
    hero, sections = data["hero"], data.get("sections", {})
    did = sections.get("you_said_we_did", {})
    wanted: dict[str, Any] = {
        "seo_title": data.get("seo_title", ""),
        "search_description": data.get("seo_description", ""),
        "hero_title": hero["title"],
        "hero_lead": hero.get("lead", ""),
        "ask_label": hero["ask_label"],
        "ask_placeholder": hero.get("ask_placeholder", ""),
        "ask_help": hero.get("ask_help", ""),
        "phases": [
            {
                "type": "phase",
                "value": {
                    "title": one["title"],
                    "lead": one["lead"],
                    "points": [_item(point) for point in one["points"]],
                    "action": dict(one["action"]),
                },
            }
            for one in data.get("phases", [])
        ],
        "steps_title": data.get("how_it_works", {}).get("title", ""),
        "steps": [{"type": "step", "value": dict(one)} for one in data.get("how_it_works", {}).get("steps", [])],
        "promises_title": data.get("promises", {}).get("title", ""),
        "promises": [{"type": "promise", "value": dict(one)} for one in data.get("promises", {}).get("items", [])],
        "changes_title": did.get("title", ""),
        "changes": [
            {
                "type": "change",
                "value": {
                    "said": one["you_said"],
                    "did": one["we_did"],
                    "helped": _helped(one.get("did_it_help")),
                    "url": one.get("url") or f"/changes/{one['product']}/",
                },
            }
            for one in changes
        ],
        "solved_title": sections.get("solved_now", {}).get("title", home.solved_title),
        "advocates_title": sections.get("advocates", {}).get("title", home.advocates_title),
        "closing_title": data.get("closing", {}).get("title", ""),
        "closing_body": data.get("closing", {}).get("body", ""),
    }
    if image is not None:
        wanted |= {"hero_image": image, "hero_alt": image_alt or image.alt or image.title}
    return _put(home, None, wanted, {}, by)


def _helped(told: Any) -> str:
    if not told:
        return ""
    return _("%(yes)s of %(asked)s say, after 60 days, that it helped.") % {"yes": told["yes"], "asked": told["asked"]}


@transaction.atomic
def save_content_page(data: Mapping[str, Any], by: User | None = None) -> ContentPage:
    """A plain page under /about/: sections with words and tables, as `pages` in `demo/pages.yaml` has them."""
    about = ensure_tree().about
    raw: list[dict[str, Any]] = []
    for section in data.get("sections", []):
        raw.append({"type": "heading", "value": section["heading"]})
        parts = blocks_from_markdown(section.get("body", ""))
        if "table" in section:
            columns, rows = section["table"]["columns"], section["table"]["rows"]
            one = {"type": "table", "value": table(columns, [[str(cell) for cell in row] for row in rows])}
            # A table explains itself, or what comes before it explains it: as the file has them, in its order.
            parts = [one, *parts] if list(section).index("table") < _place(section, "body") else [*parts, one]
        raw += parts
    page = ContentPage.objects.child_of(about).filter(slug=data["slug"]).first()
    page = page or ContentPage(slug=data["slug"], locale=about.locale)
    wanted = {
        "title": data["title"],
        "intro": data.get("intro", ""),
        "search_description": data.get("seo_description", ""),
        "body": raw,
    }
    return _put(page, about, wanted, {}, by)


def _place(section: Mapping[str, Any], key: str) -> int:
    return list(section).index(key) if key in section else len(section)


# How a page is written ----------------------------------------------------------------------------------------


def _put(
    page: Any,
    parent: Page | None,
    wanted: Mapping[str, Any],
    rows: Mapping[str, Sequence[models.Model]],
    by: User | None,
    ties: Mapping[str, Sequence[models.Model]] | None = None,
) -> Any:
    """Set what differs, add or save the page, and publish it; nothing is written when nothing differs."""
    changed = page.pk is None or not page.live
    for name, value in wanted.items():
        field = page._meta.get_field(name)
        if isinstance(field, StreamField):
            stream = field.to_python(_with_ids(value, f"{page.slug}/{name}"))
            now = without_ids(getattr(page, name).get_prep_value()) if page.pk else None
            if now != without_ids(stream.get_prep_value()):
                setattr(page, name, stream)
                changed = True
        elif page.pk is None or getattr(page, name) != value:
            setattr(page, name, value)
            changed = True
    for name, items in rows.items():
        if page.pk is None or [_facts(row) for row in getattr(page, name).all()] != [_facts(row) for row in items]:
            for place, row in enumerate(items):
                row.sort_order = place  # type: ignore[attr-defined]
            setattr(page, name, list(items))
            changed = True
    for name, things in (ties or {}).items():
        if page.pk is None or {row.pk for row in getattr(page, name).all()} != {row.pk for row in things}:
            getattr(page, name).set(things)
            changed = True
    if not changed:
        return page
    if page.pk is None:
        if parent is None:
            raise ValueError("A new page needs a parent.")
        page.live = False
        page.owner = by
        parent.add_child(instance=page)
    return _publish(page, by)


def _publish(page: Any, by: User | None) -> Any:
    page.first_published_at = page.first_published_at or clock.now()
    page.save_revision(user=by).publish(user=by)
    return type(page).objects.get(pk=page.pk)


def _facts(row: models.Model) -> dict[str, Any]:
    """What a row of a page says, without its own id and place."""
    skipped = {"id", "page", "sort_order"}
    return {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name not in skipped
    }


def _item(value: Any) -> dict[str, Any]:
    return {"type": "item", "value": value}


def _with_ids(raw: Any, name: str) -> Any:
    """The same raw stream with an id wherever Wagtail wants one; the same place always gets the same id."""
    if isinstance(raw, dict):
        named = {key: _with_ids(value, f"{name}/{key}") for key, value in raw.items()}
        if "type" in raw and "value" in raw and "id" not in raw:
            named["id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        return named
    if isinstance(raw, list):
        return [_with_ids(value, f"{name}/{place}") for place, value in enumerate(raw)]
    return raw


def _people_of(data: Mapping[str, Any]) -> set[str]:
    by = {one.get("by", "") for one in data.get("changes", [])}
    return {data.get("owner", ""), *data.get("credit", []), *by} - {""}


def _thread(one: Any) -> Thread | None:
    if isinstance(one, int):
        return Thread.objects.filter(pk=one).first()
    return one if isinstance(one, Thread) else None


def _day(now: Any, ago: float | None) -> date | None:
    return None if ago is None else (now - timedelta(days=ago)).date()
