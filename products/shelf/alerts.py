"""Recalls and known issues: what owners must hear, each of them once (decision 0146).

An alert is told to the owners of a product, or of some of its versions, at the moment it is issued. Who puts the
product on the shelf later sees the banner there. A recall follows from what an editor writes on the product
(`change_product`); a known issue is issued by staff, and by whatever finds one.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override

from community.accounts.models import User
from community.core import clock, text
from community.core.errors import Conflict, require
from community.core.rows import locked, retried
from community.core.spoken import kept, other_languages
from community.events.log import is_replaying, record
from products.models import OwnerAlert, Ownership, Product, Version, lines_of

Kind = OwnerAlert.Kind
LONGEST_TITLE, LONGEST_TEXT = 160, 2000
Words = Mapping[str, Mapping[str, str]]  # by language: `title` and `text`
MOST_NEWS = 12  # lines at a banner; whoever gathers them keeps all


def why_not_alert(user: Any) -> str:
    if user is None or not user.is_authenticated or not user.is_active or not user.has_perm("escalation.work_cases"):
        return _("Only agents can tell owners of a known issue.")
    return ""


@retried
def issue(
    product: Product,
    by: User,
    *,
    title: str,
    body: str,
    url: str = "",
    versions: Iterable[Version] = (),
    said: Words | None = None,
) -> OwnerAlert:
    """Tell the owners of a known issue, each in their language where `said` has it. Raises NotAllowed, ValidationError
    by field.

    Two presses at once make one: an open one with the same headline is returned as it is.
    """
    if not is_replaying():
        require(why_not_alert(by))
    versions = list(versions)
    title, body, told, errors = _checked(title, body, url, said or {})
    if any(version.product_id != product.pk for version in versions):
        errors["versions"] = _("This is a version of another product.")
    if errors:
        raise ValidationError(errors)
    row = locked(product)
    known = row.alerts.open().filter(kind=Kind.KNOWN_ISSUE, title=title).first()
    return known or _issue(row, by, Kind.KNOWN_ISSUE, title, body, url, versions, told)


@retried
def reword(
    alert: OwnerAlert, by: User, *, title: str, body: str, url: str = "", said: Words | None = None
) -> OwnerAlert:
    """Other words for an open known issue, or the same in one more language. Nobody is told anew: whoever was told
    reads it on the page. Raises NotAllowed, Conflict, ValidationError by field. Twice is harmless.
    """
    require(why_not_alert(by))
    title, body, told, errors = _checked(title, body, url, said or {})
    product = locked(alert.product)  # before the alert, as everybody who holds both
    row = locked(alert)
    if row.kind != Kind.KNOWN_ISSUE or row.ended_at is not None:
        raise Conflict(_("Only a known issue that is open can be reworded."))
    others = product.alerts.open().filter(kind=Kind.KNOWN_ISSUE, title=title).exclude(pk=row.pk)
    if "title" not in errors and others.exists():
        errors["title"] = _("Another open known issue of this product has this headline.")
    if errors:
        raise ValidationError(errors)
    if (row.title, row.text, row.url, row.translations) != (title, body, url, told):
        row.title, row.text, row.url, row.translations = title, body, url, told
        row.save(update_fields=["title", "text", "url", "translations"])
        _show_on_page(product)
        record("alert.reworded", actor=by, subject=row, product=product.pk)
    return row


def _checked(title: str, body: str, url: str, said: Words) -> tuple[str, str, dict[str, Any], dict[str, str]]:
    """Headline, text and what is said in further languages, cleaned; and what is wrong with them, by field."""
    title, body = text.clean_line(title), text.clean_source(body).strip()
    errors: dict[str, str] = {}
    if not title or len(title) > LONGEST_TITLE:
        errors["title"] = _("Give it a headline of at most %(most)d characters.") % {"most": LONGEST_TITLE}
    if not body or len(body) > LONGEST_TEXT:
        errors["text"] = _("Say what owners can do now, in at most %(most)d characters.") % {"most": LONGEST_TEXT}
    if url and not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
        errors["url"] = _("An address of this site, such as /help/…")
    told = kept(
        OwnerAlert,
        {
            code: {
                "title": text.clean_line(words.get("title") or ""),
                "text": text.clean_source(words.get("text") or "").strip(),
            }
            for code, words in said.items()
        },
    )
    for code, words in told.items():
        for column, most in (("title", LONGEST_TITLE), ("text", LONGEST_TEXT)):
            if len(words.get(column, "")) > most:
                errors[f"said_{code}_{column}"] = _("At most %(most)d characters.") % {"most": most}
    return title, body, told, errors


@retried
def end(alert: OwnerAlert, by: User) -> OwnerAlert:
    """It is over: the banner goes, and whoever was told of a known issue hears that, too. Twice is harmless."""
    if not is_replaying():
        require(why_not_alert(by))
    locked(alert.product)  # before the alert, as everybody who holds both: both write the product's banners
    _end(locked(alert), by)
    alert.refresh_from_db()
    return alert


@retried
def add_news(alert: OwnerAlert, words: str) -> None:
    """A line at the banner, dated now, for everybody. Called by whoever keeps the history, who checks who may."""
    product = locked(alert.product)  # before the alert, as everybody who holds both
    row = locked(alert)
    row.news = [{"at": clock.now().isoformat(), "text": words}, *row.news][:MOST_NEWS]
    row.save(update_fields=["news"])
    _show_on_page(product)


@retried
def keep_recall(product: Product, by: User | None, versions: Collection[Version]) -> OwnerAlert | None:
    """Bring the recall's alert in line with the product: issued, widened, reworded or ended. Twice is harmless.

    Only those it newly concerns are told; to tell all of them again, end the recall and begin another.
    """
    row = locked(product)
    row.recall_versions.set(versions)
    alert = row.alerts.open().filter(kind=Kind.RECALL).first()
    if not product.is_recalled:
        if alert is not None:
            _end(alert, by)
        return None
    title, body = product.recall_title or _no_headline(settings.LANGUAGE_CODE), _steps(product.recall_note)
    told = kept(OwnerAlert, {code: _recall_in(product, code) for code, _name in other_languages()})
    if alert is None:
        return _issue(row, by, Kind.RECALL, title, body, "", versions, told)
    if (alert.title, alert.text, alert.translations) != (title, body, told):
        alert.title, alert.text, alert.translations = title, body, told
        alert.save(update_fields=["title", "text", "translations"])
    _widen(alert, by, {version.pk for version in versions})
    return alert


def _widen(alert: OwnerAlert, by: User | None, wanted: set[int]) -> None:
    before = set(alert.versions.values_list("pk", flat=True))
    if wanted == before:
        return
    alert.versions.set(wanted)
    is_more = bool(before) and (not wanted or bool(wanted - before))
    if is_more:
        record(
            "alert.widened", actor=by, subject=alert, product=alert.product_id, versions=sorted(wanted),
            before=sorted(before),
        )  # fmt: skip


def _no_headline(language: str) -> str:
    with override(language):
        return _("This product is recalled")


def _steps(note: str) -> str:
    return "\n".join(lines_of(note))[:LONGEST_TEXT]


def _recall_in(product: Product, language: str) -> dict[str, str]:
    """A recall's words in a further language, as far as an editor wrote any."""
    words = product.translations.get(language) or {}
    title, steps = words.get("recall_title", ""), _steps(words.get("recall_note", ""))
    if steps and not title and not product.recall_title:
        title = _no_headline(language)
    return {"title": title, "text": steps}


def _issue(
    product: Product, by: User | None, kind: str, title: str, body: str, url: str, versions: Collection[Version],
    said: dict[str, Any],
) -> OwnerAlert:  # fmt: skip
    alert = OwnerAlert.objects.create(
        kind=kind, product=product, title=title, text=body, url=url, issued_at=clock.now(), issued_by=by,
        translations=said,
    )  # fmt: skip
    alert.versions.set(versions)
    _show_on_page(product)
    told = sorted(version.pk for version in versions)
    record("alert.issued", actor=by, subject=alert, kind=kind, product=product.pk, versions=told)
    return alert


def _end(alert: OwnerAlert, by: User | None) -> None:
    if alert.ended_at is not None:
        return
    alert.ended_at = clock.now()
    alert.save(update_fields=["ended_at"])
    _show_on_page(alert.product)
    told = sorted(alert.versions.values_list("pk", flat=True))
    record("alert.ended", actor=by, subject=alert, kind=alert.kind, product=alert.product_id, versions=told)


def _show_on_page(product: Product) -> None:
    """Copy what is open onto the product's row: its page shows it without a query."""
    rows = list(product.alerts.open().prefetch_related("versions"))
    product.recall_news = next((row.news for row in rows if row.kind == Kind.RECALL), [])
    product.known_issues = [
        {
            "title": row.title,
            "text": row.text,
            "url": row.url,
            "versions": [version.name for version in row.versions.all()],
            "translations": _translations(row),
            "news": row.news,
        }
        for row in rows
        if row.kind == Kind.KNOWN_ISSUE
    ]
    Product.objects.filter(pk=product.pk).update(known_issues=product.known_issues, recall_news=product.recall_news)


def _translations(alert: OwnerAlert) -> dict[str, dict[str, Any]]:
    """What an alert says in further languages, with what its versions are called there."""
    versions = list(alert.versions.all())
    called = {code: [version.said_in(code).name for version in versions] for code, _name in other_languages()}
    return {code: {**alert.translations.get(code, {}), "versions": names} for code, names in called.items()}


# Whom it concerns -------------------------------------------------------------------------------------------


def owners_told(kind: str, product: int, versions: Collection[int], before: Collection[int] | None = None) -> list[int]:
    """Ids of the owners an event about an alert is for. `before`: what they were told of already is left out.

    A recall is also told to those who have not said which version is theirs: better one look under the machine too
    many. A known issue is not.
    """
    unknown = kind == Kind.RECALL
    found = Ownership.objects.filter(product=product).of_version(versions, unknown=unknown)
    if before:
        found = found.exclude(
            pk__in=Ownership.objects.filter(product=product).of_version(before, unknown=unknown).values("pk")
        )
    return list(found.values_list("owner", flat=True))


def is_concerned(alert: OwnerAlert, person: User) -> bool:
    """Whether somebody's own is one of those."""
    unknown = alert.kind == Kind.RECALL
    versions = [version.pk for version in alert.versions.all()]
    return (
        Ownership.objects.filter(owner=person, product=alert.product_id).of_version(versions, unknown=unknown).exists()
    )


def put_on(shelf: Collection[Ownership]) -> None:
    """Give each row of a shelf its open alerts as `alerts`, each with `sure`: False where the owner has not said which
    version it is. Two queries, however many rows."""
    alerts = OwnerAlert.objects.open().filter(product__in=[row.product_id for row in shelf]).select_related("product")
    by_product: dict[int, list[OwnerAlert]] = {}
    for alert in alerts.prefetch_related("versions"):
        by_product.setdefault(alert.product_id, []).append(alert)
    for row in shelf:
        row.alerts = []  # type: ignore[attr-defined]
        for alert in by_product.get(row.product_id, ()):
            versions = {version.pk: version.said.name for version in alert.versions.all()}
            sure = not versions or row.version_id in versions
            if sure or row.version_id is None:
                row.alerts.append({"alert": alert, "sure": sure, "versions": list(versions.values())})  # type: ignore[attr-defined]
