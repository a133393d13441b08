"""What people do with products: put them on the shelf. And what editors and loaders do: keep the rows."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from community.accounts.models import Department, User
from community.core import clock, text
from community.core.errors import require
from community.core.rows import retried
from community.core.spoken import kept, other_languages
from community.events.log import record

from .gtin import digits_of
from .models import Family, OwnerAlert, Ownership, Product, ReceiptCode, Responsibility, Shop, Version
from .shelf import alerts

OLDEST_PURCHASE = date(1950, 1, 1)
LONGEST_SERIAL = 60


def _why_no_shelf(by: Any) -> str:
    return "" if by.is_authenticated else _("Sign in to keep a shelf.")


@retried
def add_to_shelf(
    product: Product, by: User, *, version: Version | None = None, bought_on: date | None = None, verified: str = ""
) -> Ownership:
    """Put a product on somebody's shelf, or say more about one that stands there. Twice is harmless.

    One row a person and product, however many of them somebody has. `verified` comes from an order, a receipt code or
    staff; once verified, it stays so.
    """
    require(_why_no_shelf(by))
    row, new = Ownership.objects.select_for_update().get_or_create(
        owner=by,
        product=product,
        defaults={"version": version, "bought_on": bought_on, "verified": verified},
    )
    if new:
        record("ownership.added", actor=by, subject=product, verified=verified)
        return row
    told = {"version": version, "bought_on": bought_on, "verified": verified}
    changed = [field for field, value in told.items() if value and getattr(row, field) != value]
    if row.verified and "verified" in changed:
        changed.remove("verified")
    for field in changed:
        setattr(row, field, told[field])
    if changed:
        row.save(update_fields=changed)
    if "verified" in changed:
        record("ownership.added", actor=by, subject=product, verified=verified)
    elif changed:
        record("ownership.changed", actor=by, subject=product)
    return row


@retried
def change_on_shelf(
    product: Product, by: User, *, version: Version | None, bought_on: date | None, serial: str
) -> Ownership:
    """Say which version it is, when it was bought and what its number is; what is empty is forgotten.

    Raises ValidationError by field, DoesNotExist where it is not on the shelf. Whether it is verified can't be said
    here. Twice is harmless.
    """
    require(_why_no_shelf(by))
    row = Ownership.objects.select_for_update(of=("self",)).get(owner=by, product=product)
    check_bought_on(bought_on)
    serial = text.clean_line(serial)
    errors: dict[str, str] = {}
    if version is not None and version.product_id != product.pk:
        errors["version"] = _("This is a version of another product.")
    if len(serial) > LONGEST_SERIAL:
        errors["serial"] = _("That is too long for a serial number.")
    if errors:
        raise ValidationError(errors)
    if keep(row, version=version, bought_on=bought_on, serial=serial):
        record("ownership.changed", actor=by, subject=product)
    return row


def check_bought_on(bought_on: date | None) -> None:
    """Raises ValidationError at `bought_on` for a day that can't be it. Tomorrow may be today somewhere already."""
    if bought_on is None:
        return
    if (bought_on - clock.now().date()).days > 1:
        raise ValidationError({"bought_on": _("This day is still to come.")})
    if bought_on < OLDEST_PURCHASE:
        raise ValidationError({"bought_on": _("Please look at the year again.")})


@retried
def remove_from_shelf(product: Product, by: User) -> None:
    """Take a product off. Twice is harmless."""
    require(_why_no_shelf(by))
    gone, _rows = Ownership.objects.filter(owner=by, product=product).delete()
    if gone:
        record("ownership.removed", actor=by, subject=product)


def why_not_keep_shelves(user: Any) -> str:
    """Who may see the shelves of others, confirm purchases and make receipt codes: agents and managers."""
    if user is None or not user.is_authenticated or not user.is_active or not user.has_perm("escalation.work_cases"):
        return _("Only agents can do this.")
    return ""


@retried
def verify_for(owner: User, product: Product, by: User, *, verified: bool, reason: str) -> Ownership:
    """An agent confirms that somebody owns a product (seen a receipt, say), or takes such a mark back.

    The reason goes into the log beside who and when. Raises NotAllowed (nobody confirms their own), ValidationError at
    `reason`. What is not on the shelf yet is put there. Twice is harmless.
    """
    require(why_not_keep_shelves(by))
    if owner.pk == by.pk:
        require(_("Somebody else has to confirm what is yours."))
    if not reason.strip():
        raise ValidationError({"reason": _("Say what you saw; it stands in the log.")})
    owned = Ownership.objects.select_for_update(of=("self",))
    row, new = owned.get_or_create(owner=owner, product=product) if verified else (
        owned.get(owner=owner, product=product), False
    )  # fmt: skip
    if new:
        record("ownership.added", actor=owner, subject=product, verified="")
    wanted = (row.verified or Ownership.Verified.STAFF) if verified else Ownership.Verified.NO
    if not verified:
        # The code stays used, and is nobody's: typed again it gives nothing back.
        ReceiptCode.objects.filter(used_by=owner, batch__product=product).update(used_by=None)
    if keep(row, verified=wanted):
        record(
            "ownership.verified", actor=by, subject=product, note=reason.strip(), owner=owner.pk, verified=str(wanted)
        )
    return row


# Rows that editors and loaders keep --------------------------------------------------------------------------


def keep(row: models.Model, **wanted: Any) -> bool:
    """Set what differs and save; True when something was written. A new row is always written."""
    changed = [field for field, value in wanted.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, wanted[field])
    if row.pk is None:
        row.save(force_insert=True)
        return True
    if changed:
        row.save(update_fields=changed)
    return bool(changed)


def save_family(data: Mapping[str, Any], position: int = 0) -> Family:
    """A family as `demo/products.yaml` writes it."""
    family = Family.objects.filter(slug=data["slug"]).first() or Family(slug=data["slug"])
    keep(
        family,
        name=data["name"],
        intro=data.get("intro", ""),
        secondary_ratings=list(data.get("secondary_ratings", [])),
        translations=kept(Family, data.get("said", {})),
        position=position,
    )
    return family


def save_shop(data: Mapping[str, Any], position: int = 0) -> Shop:
    """A shop as `demo/products.yaml` writes it."""
    shop = Shop.objects.filter(slug=data["slug"]).first() or Shop(slug=data["slug"])
    keep(
        shop,
        name=data["name"],
        position=position,
        translations=kept(Shop, data.get("said", {})),
        **{field: data.get(field, "") for field in ("where", "delivers", "note", "url")},
    )
    return shop


@transaction.atomic
def save_product(data: Mapping[str, Any], position: int = 0, today: date | None = None) -> Product:
    """A product as `demo/products.yaml` writes it: the row, its versions, who answers for what.

    Days are counted back from `today` when the row is made and stay as they are then. Families and departments
    have to be there: raises `DoesNotExist`.
    """
    family = Family.objects.get(slug=data["family"])
    life = data.get("lifecycle", {})
    recall = life.get("recall") or {}
    others = data.get("said", {})
    product = Product.objects.filter(slug=data["slug"]).first() or Product(slug=data["slug"], family=family)
    wanted: dict[str, Any] = {
        "name": data["name"],
        "short_name": data.get("short_name", ""),
        "family": family,
        **_words(data),
        "lifecycle": life.get("state", Product.Lifecycle.CURRENT),
        "translations": kept(Product, {code: _words(words) for code, words in others.items()}),
        "gtin": digits_of(str(data.get("gtin", ""))),
        "position": position,
    }
    if product.pk is None and today is not None:
        wanted |= _days(life, recall, today)
    keep(product, **wanted)
    for place in range(1, life.get("series", 0) + 1):
        _save_version(product, _series(place), place, {code: {"name": _series(place, code)} for code in _others()})
    for place, name in enumerate(data.get("versions", []), start=life.get("series", 0) + 1):
        told = {code: {"name": words.get("versions", {}).get(name, "")} for code, words in others.items()}
        _save_version(product, name, place, told)
    subjects = {code: words.get("subjects", {}) for code, words in others.items()}
    _save_responsibilities(product, data.get("departments", {}), subjects)
    return product


def _words(data: Mapping[str, Any]) -> dict[str, str]:
    """The row's words, from what the file says of the product in one language."""
    life = data.get("lifecycle", {})
    recall = life.get("recall") or {}
    return {
        "what": data.get("what", "") or data.get("tagline", ""),
        "lifecycle_note": life.get("announced") or life.get("note", ""),
        "recall_title": recall.get("title", ""),
        "recall_affects": recall.get("affects", ""),
        "recall_why": recall.get("why", ""),
        "recall_note": "\n".join(recall.get("what_to_do", [])),
    }


def _days(life: Mapping[str, Any], recall: Mapping[str, Any], today: date) -> dict[str, date]:
    def day(ago: float) -> date:
        return date.fromordinal(today.toordinal() - round(ago))

    days: dict[str, date] = {}
    if life.get("state") == Product.Lifecycle.ANNOUNCED:
        if "expected_in_days" in life:
            days["expected_on"] = day(-life["expected_in_days"])
    elif (ago := life.get("launched_days_ago", life.get("since_days_ago"))) is not None:
        days["launched_on"] = day(ago)
    if "since_days_ago" in recall:
        days["recalled_on"] = day(recall["since_days_ago"])
    return days


def _others() -> list[str]:
    return [code for code, _name in other_languages()]


def _series(number: int, language: str = settings.LANGUAGE_CODE) -> str:
    with override(language):
        return _("Series %(n)d") % {"n": number}


def _save_version(product: Product, name: str, position: int, said: Mapping[str, Mapping[str, str]]) -> None:
    version = Version.objects.filter(product=product, name=name).first() or Version(product=product, name=name)
    keep(version, position=position, translations=kept(Version, said))


def _save_responsibilities(
    product: Product, subjects: Mapping[str, str], others: Mapping[str, Mapping[str, str]]
) -> None:
    """`others`: by language, what the subjects are called there."""
    departments = {department.slug: department for department in Department.objects.all()}
    known = {row.subject: row for row in Responsibility.objects.filter(product=product)}
    for subject, slug in subjects.items():
        if slug not in departments:
            raise Department.DoesNotExist(f"{product.slug}: there is no department {slug!r} for {subject!r}")
        row = known.get(subject) or Responsibility(product=product, subject=subject, department=departments[slug])
        told = {code: {"subject": names.get(subject, "")} for code, names in others.items()}
        keep(row, department=departments[slug], translations=kept(Responsibility, told))
    gone = [row.pk for subject, row in known.items() if subject not in subjects]
    if gone:
        Responsibility.objects.filter(pk__in=gone).delete()


def why_not_delete_version(version: Version) -> str:
    """Why a series or firmware can't be deleted; empty when it can.

    A recall or a known issue of none stands for all: taking one out of its list by deleting it would tell every owner.
    """
    named = Product.objects.filter(recall_versions=version).exists()
    if named or OwnerAlert.objects.open().filter(versions=version).exists():
        return _(
            "“%(version)s” of the %(product)s is named by a recall or a known issue. Without it, that would be for all "
            "owners. It can be renamed; to delete it, end that or take it out there first."
        ) % {"version": version, "product": version.product}
    return ""


@transaction.atomic
def change_product(product: Product, by: User, recall_versions: Collection[Version] | None = None) -> Product:
    """Write what an editor changed in the Wagtail admin, and say so: a recall must reach the owners.

    `recall_versions` are those the recall holds for, none for all; without the argument they stay as they are.

    Only what editors write is saved: numbers that others count meanwhile stay theirs. Raises ValidationError at
    `slug` when another product took the address at the same moment, or when it is to change: pages, links and printed
    leaflets lead there (RULINGS 4).
    """
    new = product.pk is None
    if not new and not Product.objects.filter(pk=product.pk, slug=product.slug).exists():
        raise ValidationError({"slug": _("The address of a product stays: links and leaflets lead to it.")})
    written = [field.name for field in product._meta.concrete_fields if field.editable and not field.primary_key]
    written.append("translations")  # editors' words, too, in other languages
    try:
        with transaction.atomic():
            product.save(update_fields=None if new else written)
    except IntegrityError:
        if not Product.objects.filter(slug=product.slug).exclude(pk=product.pk).exists():
            raise
        if new:
            product.pk = None
        raise ValidationError({"slug": _("Another product has this address.")}) from None
    record("product.changed", actor=by, subject=product, new=new, lifecycle=product.lifecycle)
    alerts.keep_recall(product, by, product.recall_versions.all() if recall_versions is None else recall_versions)
    return product
