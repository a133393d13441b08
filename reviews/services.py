"""What people do with reviews. Stars belong to their author: nothing here lets anybody else set them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from community.accounts.models import Department, Standing, User
from community.core import clock, text
from community.core.body import BODY_FIELDS, is_same_text, write_body
from community.core.errors import Conflict, NotAllowed, require
from community.core.models import Body, Numbers
from community.core.rows import locked, retried
from community.events.log import is_replaying, record
from community.moderation import screening
from community.moderation import services as moderation
from community.moderation.models import Moderated
from community.moderation.permissions import why_not_moderate
from community.posts import gates
from community.posts import services as posts
from community.posts.models import Upload
from community.posts.photos import photos_of
from products.models import Ownership, Product

from . import history, permissions, ratings
from .clock import business_hours_later
from .models import BrandResponse, Chapter, Disclosure, HelpfulVote, Refusal, RefusalCode, Review

Visibility = Moderated.Visibility

SHORTEST_TITLE, LONGEST_TITLE = 3, 150
SHORTEST_BODY = 20
LONGEST_APPEAL = 2000
LONGEST_SIDE = 1000  # what went well, what could be better
MOST_PHOTOS = 6
OLDEST_MONTHS = 1200
STATE_FIELDS = ["visibility", "published_at", "hidden_reason", "hidden_at", "hidden_by"]


class AlreadyReviewed(Conflict):
    """One review per person and product: here is the one there is, to edit or to add a chapter to."""

    def __init__(self, review: Review) -> None:
        super().__init__(_("You have reviewed this already. You can change that review, or add a second look to it."))
        self.review = review


# --- writing ---------------------------------------------------------------------------------------------------------


@retried
def write_review(
    by: User,
    product: Product,
    *,
    stars: int,
    title: str,
    body: str,
    did_well: str = "",
    could_be_better: str = "",
    would_recommend: bool | None = None,
    secondary: Mapping[str, int] | None = None,
    disclosure: str = Disclosure.BOUGHT,
    owned_months: int | None = None,
    language: str = "",
    photos: Sequence[Upload] = (),
    hold: bool = False,
    source_format: str = Body.Format.MARKDOWN,
    **sourced: str,
) -> Review:
    """Review a product: once per person. Raises ValidationError by field, NotAllowed, AlreadyReviewed.

    It waits for a look when the house looks at every review, when a newcomer's first post is held, or when the
    caller says `hold`. `sourced` is where an imported review came from (RULINGS 19: no limits of length for it).
    """
    _require_may_review(by)
    row = product
    if not sourced.get("source"):
        row = locked(product)  # two presses of the button wait for each other here
        if not is_replaying():
            require(permissions.why_not_yet(row))
        mine = Review.objects.filter(product=row, author=by, source="").exclude(visibility=Visibility.DELETED).first()
        if mine is not None:
            raise AlreadyReviewed(mine)
    fields = _checked(
        row,
        stars=stars,
        title=title,
        body=body,
        did_well=did_well,
        could_be_better=could_be_better,
        would_recommend=would_recommend,
        secondary=secondary,
        disclosure=disclosure,
        owned_months=owned_months,
    )
    now = clock.now()
    review = Review(
        product=row,
        author=by,
        current_stars=fields["stars"],
        verified=_verified(by, row),
        language=(language or by.language or "en")[:10],
        created_at=now,
        visibility=Visibility.DRAFT,
        **fields,
        **sourced,
    )
    review.owned_last = review.owned_months
    _write(review, body, source_format, by, base_url=sourced.get("source_url", ""))
    looked = gates.look(
        review, by, "reviews", review.title, review.did_well, review.could_be_better, *posts.words_beside(photos),
        published=[Review.objects.filter(author=by)],
    )  # fmt: skip
    waits = hold or looked.waits or _all_wait()
    if waits:
        review.visibility, review.due_at = Visibility.PENDING, business_hours_later(now)
    review.save(force_insert=True)
    posts.set_photos(review, by, photos, MOST_PHOTOS)
    posts.attach_uploads(review, by)
    _count_photos(review)
    _keep_version(review, by)
    screening.keep(looked, review)
    if waits:
        record("review.submitted", actor=by, subject=review, product=row.pk, stars=review.current_stars)
    else:
        moderation.publish(review, by)
    for field in ratings.FIELDS:  # the caller's product shows the new numbers
        setattr(product, field, getattr(row, field))
    return review


@retried
def edit_review(
    review: Review,
    by: User,
    *,
    stars: int,
    title: str,
    body: str,
    did_well: str = "",
    could_be_better: str = "",
    would_recommend: bool | None = None,
    secondary: Mapping[str, int] | None = None,
    disclosure: str = Disclosure.BOUGHT,
    owned_months: int | None = None,
    photos: Sequence[Upload] | None = None,
    summary: str = "",
    seen_revision: int | None = None,
    source_format: str = Body.Format.MARKDOWN,
) -> Review:
    """Change one's own review; every version is kept. A review that came back goes to the moderators again.

    `photos` is the whole list as it should be, None leaves it. Raises ValidationError by field, NotAllowed, and
    Conflict when another edit came between (`seen_revision`).
    """
    if not is_replaying():
        require(permissions.why_not_edit(by, review))
    row = locked(review)
    if row.visibility == Visibility.DELETED:
        raise Conflict(_("This review has been deleted."))
    if seen_revision is not None and seen_revision != posts.latest_revision(row):
        raise Conflict(_("This review was changed in another window meanwhile."))
    fields = _checked(
        row.product,
        stars=stars,
        title=title,
        body=body,
        did_well=did_well,
        could_be_better=could_be_better,
        would_recommend=would_recommend,
        secondary=secondary,
        disclosure=disclosure,
        owned_months=owned_months,
    )
    was = row.stars
    for field, value in fields.items():
        setattr(row, field, value)
    changed_text = not is_same_text(row, body)
    if changed_text:
        _write(row, body, source_format, by, base_url=row.source_url)
        posts.attach_uploads(row, by)
    ratings.follow_chapters(row)
    # Who mends it needs no appeal any longer.
    row.refusals.filter(appealed_at__isnull=False, granted=None).update(appealed_at=None)
    words = (row.title, row.did_well, row.could_be_better, *posts.words_beside(photos))
    looked = gates.look_again(row, by, "reviews", *words)
    row.edited_at = clock.now()
    row.save(update_fields=[*fields, *BODY_FIELDS, *ratings.FROM_CHAPTERS, "edited_at"])
    screening.keep_change(looked, row)
    if photos is not None:
        posts.set_photos(row, by, photos, MOST_PHOTOS)
    _count_photos(row)
    version = _keep_version(row, by, summary)
    record("review.edited", actor=by, subject=row, revision=version, stars=row.stars, was=was)
    if _open_refusal(row) is not None:
        _send_again(row, by)
    elif row.visibility == Visibility.VISIBLE and _all_wait():
        _back_to_waiting(row, by)
    review.refresh_from_db()
    return review


@retried
def add_chapter(
    review: Review,
    by: User,
    *,
    stars: int,
    body: str,
    months_owned: int,
    still_in_use: bool | None = None,
    label: str = "",
    source_format: str = Body.Format.MARKDOWN,
) -> Chapter:
    """A second look at the same thing. Its stars count from now on; the earlier ones stay to be seen (RULINGS 26)."""
    if not is_replaying():
        require(permissions.why_not_edit(by, review))
    row = locked(review)
    if row.visibility not in (Visibility.VISIBLE, Visibility.PENDING):
        raise Conflict(_("A second look can be added once the review is online."))
    errors: dict[str, str] = {}
    if stars not in range(1, 6):
        errors["stars"] = _("Choose one to five stars.")
    body = text.clean_source(body).strip()
    if not body or (not is_replaying() and len(body) < SHORTEST_BODY):
        errors["body"] = _too_short(SHORTEST_BODY)
    if not 0 <= months_owned <= OLDEST_MONTHS:
        errors["months_owned"] = _("How many months is that? Use a whole number.")
    elif row.chapters.filter(months_owned=months_owned).exists():
        errors["months_owned"] = _("You have told about this age already. Choose another number of months.")
    elif not is_replaying() and months_owned < (row.owned_last or 0):
        told = row.owned_last or 0
        errors["months_owned"] = ngettext(
            "You have told how it is after %(n)d month. A later look is not earlier than that.",
            "You have told how it is after %(n)d months. A later look is not earlier than that.",
            told,
        ) % {"n": told}
    if errors:
        raise ValidationError(errors)
    chapter = Chapter(
        review=row,
        stars=stars,
        months_owned=months_owned,
        still_in_use=still_in_use,
        label=text.clean_line(label)[:40],
        created_at=clock.now(),
    )
    _write(chapter, body, source_format, by)
    looked = gates.look_again(chapter, by, "reviews")
    chapter.save(force_insert=True)
    posts.attach_uploads(chapter, by)
    screening.keep_change(looked, row)
    ratings.follow_chapters(row)
    row.save(update_fields=ratings.FROM_CHAPTERS)
    record("review.chapter_added", actor=by, subject=row, months_owned=months_owned, stars=stars)
    if row.visibility == Visibility.VISIBLE and _all_wait():
        _back_to_waiting(row, by)
    _copy(row, review, *ratings.FROM_CHAPTERS, "due_at", *STATE_FIELDS)
    return chapter


# --- judging whether it helped ---------------------------------------------------------------------------------------


@retried
def find_helpful(review: Review, by: User, helpful: bool | None) -> Review:
    """Say whether a review helped: True, False, or None to take it back. One per person, not on one's own."""
    require(permissions.why_not_vote(by, review))
    row = locked(review)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("This review is not online at the moment."))
    _find_helpful(row, by, helpful)
    _copy(row, review, "helpful_yes", "helpful_no", "helpful_bound")
    return review


def _find_helpful(row: Review, by: User, helpful: bool | None, **told: Any) -> None:
    """Set somebody's judgement on a review whose row is held."""
    vote = HelpfulVote.objects.filter(target=row, voter=by).first()
    previous = vote.helpful if vote else None
    if previous == helpful:
        return
    if vote is None:
        HelpfulVote.objects.create(target=row, voter=by, helpful=helpful, created_at=clock.now())
    elif helpful is None:
        vote.delete()
    else:
        vote.helpful, vote.created_at = helpful, clock.now()
        vote.save(update_fields=["helpful", "created_at"])
    ratings.move_helpful(row, yes=(helpful is True) - (previous is True), no=(helpful is False) - (previous is False))
    record("review.found_helpful", actor=by, subject=row, helpful=helpful, previous=previous, **told)


@retried
def take_helpful_out(review: Review, voter: User, by: User) -> tuple[bool, datetime] | None:
    """A moderator takes somebody's judgement out of the count. Returns what it was and when; None if there is none."""
    require(why_not_moderate(by))
    row = locked(review)
    vote = HelpfulVote.objects.filter(target=row, voter=voter).first()
    if vote is None:
        return None
    _find_helpful(row, voter, None, taken_out_by=by.pk)
    return vote.helpful, vote.created_at


@retried
def unsay_helpful(review: Review, voter: User) -> None:
    """Somebody leaves and takes along what they found of a review. Twice is harmless."""
    _find_helpful(locked(review), voter, None)


@retried
def give_helpful_back(review: Review, voter: User, by: User, helpful: bool, at: datetime) -> bool:
    """Undo it, from the moment it was said. False if they have said something since."""
    require(why_not_moderate(by))
    row = locked(review)
    if HelpfulVote.objects.filter(target=row, voter=voter).exists():
        return False
    with clock.travel(at):
        _find_helpful(row, voter, helpful, given_back_by=by.pk)
    return True


@retried
def add_helpful_rows(
    review: Review, *, yes: int = 0, no: int = 0, source: str, at: datetime | Sequence[datetime] | None = None
) -> int:
    """Dated votes without a voter, from a tally or a dump (RULINGS 21). Told twice adds nothing; returns how many.

    `at` is the moment of all, or moments that are used in turn.
    """
    moments = [clock.now()] if at is None else [at] if isinstance(at, datetime) else list(at)
    row = locked(review)
    known = set(HelpfulVote.objects.filter(target=row, voter=None, source=source).values_list("external_id", flat=True))
    wanted = [(f"yes-{n}", True) for n in range(yes)] + [(f"no-{n}", False) for n in range(no)]
    new = [
        HelpfulVote(target=row, source=source, external_id=name, helpful=helpful, created_at=moments[n % len(moments)])
        for n, (name, helpful) in enumerate(wanted)
        if name not in known
    ]
    HelpfulVote.objects.bulk_create(new)
    if new:
        more = sum(vote.helpful for vote in new)
        ratings.move_helpful(row, yes=more, no=len(new) - more)
    for vote in sorted(new, key=lambda vote: vote.created_at):
        with clock.travel(vote.created_at):
            record(
                "review.found_helpful",
                actor=None,
                subject=row,
                helpful=vote.helpful,
                previous=None,
                voter_source=True,
            )
    _copy(row, review, "helpful_yes", "helpful_no", "helpful_bound")
    return len(new)


# --- the brand answers -----------------------------------------------------------------------------------------------


@retried
def respond(
    review: Review, by: User, department: Department, body: str, *, source_format: str = Body.Format.MARKDOWN
) -> BrandResponse:
    """A department says something under a review: once; saying it again edits it in sight. The review stays as is."""
    require(permissions.why_not_respond(by, review, department))
    row = locked(review)
    if row.visibility != Visibility.VISIBLE:
        raise Conflict(_("This review is not online at the moment."))
    body = text.clean_source(body).strip()
    if not body:
        raise ValidationError({"body": _("Write something first.")})
    now = clock.now()
    response = BrandResponse.objects.filter(review=row, department=department).first()
    if response is not None and response.body_source == body:
        return response
    edited = response is not None
    if response is None:
        response = BrandResponse(review=row, department=department, author=by, created_at=now)
    else:
        response.author, response.edited_at = by, now
    _write(response, body, source_format, by)
    response.save()
    posts.attach_uploads(response, by)
    posts.add_revision(response, by, body_source=body, source_format=source_format)
    record("review.answered", actor=by, subject=row, department=department.pk, edited=edited)
    return response


# --- moderation ------------------------------------------------------------------------------------------------------


@retried
def publish_review(review: Review, by: User) -> None:
    """A moderator lets a waiting review through. Twice is harmless."""
    require(permissions.why_not_judge(by, review))
    row = locked(review)
    moderation.approve(row, by)
    _copy(row, review, "due_at", *STATE_FIELDS)


@retried
def refuse_review(review: Review, by: User, *, code: str, passage: str, note: str = "") -> Refusal:
    """Give a review back to its author, with a code and the passage it is about.

    The passage must stand in what was written: few stars have no passage, so nobody can refuse a review for them.
    Raises ValidationError at `code` or `passage`, Conflict while a colleague looks at it or when one was quicker. Twice
    is harmless.
    """
    require(permissions.why_not_judge(by, review))
    row = locked(review)
    if row.visibility == Visibility.DELETED:
        raise Conflict(_("This review has been deleted."))
    if row.visibility == Visibility.HIDDEN and (known := _open_refusal(row)) is not None:
        if known.by_id != by.pk and not is_replaying():
            raise Conflict(_("Somebody else has decided about this meanwhile."))
        return known
    if not is_replaying():
        moderation.require_free(row, by)
    errors: dict[str, str] = {}
    if code not in RefusalCode.values:
        errors["code"] = _("Choose why it can't stay. Few stars are no reason.")
    passage = " ".join(passage.split())
    if reason := _why_no_passage(passage, row):
        errors["passage"] = reason
    if errors:
        raise ValidationError(errors)
    refusal = _give_back(row, by, code, passage, note)
    moderation.decide_flags(row, by, uphold=True, note=str(refusal.get_code_display()))
    _copy(row, review, "due_at", *STATE_FIELDS)
    return refusal


@retried
def refuse_as_spam(review: Review, by: User, *, note: str) -> Refusal:
    """Give a review back because its author is a spammer: the passage is its title, however short.

    Twice is harmless.
    """
    require(permissions.why_not_judge(by, review))
    row = locked(review)
    if row.visibility == Visibility.DELETED:
        raise Conflict(_("This review has been deleted."))
    refusal = _open_refusal(row) if row.visibility == Visibility.HIDDEN else None
    refusal = refusal or _give_back(row, by, RefusalCode.PROMOTION, row.title, note)
    _copy(row, review, "due_at", *STATE_FIELDS)
    return refusal


def check_passage(passage: str, review: Review) -> None:
    """Raise ValidationError at `passage` unless these words stand in a review."""
    if reason := _why_no_passage(passage, review):
        raise ValidationError({"passage": reason})


def set_aside(review: Review, by: User, *, code: str, passage: str, note: str = "") -> Refusal | None:
    """Take a review off the page as `by` proposed and its author agreed; it counts among the refused ones, and its
    author can change it and send it again. The caller holds its row; one that came back already stays as it is."""
    known = _open_refusal(review)
    if review.visibility == Visibility.HIDDEN and known is not None:
        return known
    return _give_back(review, by, code, passage, note, agreed=True)


def _give_back(row: Review, by: User, code: str, passage: str, note: str, **more: bool) -> Refusal:
    now = clock.now()
    row.refusals.filter(appealed_at__isnull=False, granted=None).update(granted=False)
    refusal = Refusal.objects.create(
        review=row, code=code, passage=passage, note=note.strip(), stars=row.current_stars, by=by, at=now
    )
    row.visibility, row.hidden_reason = Visibility.HIDDEN, str(refusal.get_code_display())
    row.hidden_at, row.hidden_by, row.due_at = now, by, None
    row.save(update_fields=[*STATE_FIELDS, "due_at"])
    record("review.refused", actor=by, subject=row, note=note.strip(), code=code, refusal=refusal.pk, **more)
    screening.decide_look(row, by, kept=False)
    return refusal


def _why_no_passage(passage: str, review: Review) -> str:
    if len(passage) < 3:
        return _("Mark the passage it is about: its author must see what to change.")
    if not _stands_in(passage, review):
        return _("These words don't stand in the review. Copy the passage as it was written.")
    return ""


@retried
def resubmit_review(review: Review, by: User) -> None:
    """Send a review that came back to the moderators again, changed or not. Twice is harmless."""
    require(permissions.why_not_edit(by, review))
    row = locked(review)
    if row.visibility != Visibility.DELETED and _open_refusal(row) is not None:
        _send_again(row, by)
    _copy(row, review, "due_at", *STATE_FIELDS)


@retried
def appeal(review: Review, by: User, words: str) -> None:
    """Say that a review should stay as it is: somebody else than who refused it decides. Twice is harmless.

    Raises ValidationError at `words`, Conflict when it has not come back.
    """
    require(permissions.why_not_appeal(by, review))
    row = locked(review)
    refusal = _open_refusal(row)
    if refusal is None or row.visibility == Visibility.DELETED:
        if row.visibility == Visibility.PENDING and row.refusals.filter(appealed_at__isnull=False).exists():
            return
        raise Conflict(_("This review has not come back, so there is nothing to appeal against."))
    words = text.clean_source(words).strip()
    if not SHORTEST_BODY <= len(words) <= LONGEST_APPEAL:
        raise ValidationError(
            {
                "words": _("Say why it should stay, in %(least)d to %(most)d characters.")
                % {"least": SHORTEST_BODY, "most": LONGEST_APPEAL}
            }
        )
    refusal.appeal, refusal.appealed_at = words, clock.now()
    refusal.save(update_fields=["appeal", "appealed_at"])
    _send_again(row, by)
    _copy(row, review, "due_at", *STATE_FIELDS)


@retried
def copy_verification(owner: User, product: Product) -> None:
    """Bring the verified mark of somebody's review in line with their shelf."""
    verified = _verified(owner, product)
    rows = Review.objects.select_for_update(of=("self",), no_key=True).filter(author=owner, product=product)
    for review in rows.exclude(verified=verified).order_by("pk"):
        review.verified = verified
        review.save(update_fields=["verified"])
        ratings.settle(review)


# --- within ----------------------------------------------------------------------------------------------------------


def _require_may_review(by: User) -> None:
    if not is_replaying():
        require(permissions.why_not_review(by))
    elif by.standing == Standing.STAFF:
        raise NotAllowed(permissions.why_not_review(by))


def _all_wait() -> bool:
    return not is_replaying() and Numbers.load().review_moderation


def _verified(owner: User, product: Product) -> str:
    return Ownership.objects.filter(owner=owner, product=product).values_list("verified", flat=True).first() or ""


def _write(thing: Body, body: str, source_format: str, by: User, base_url: str = "") -> None:
    """Make a text safe, with the limits that hold for people. `base_url` is where an imported page's links point."""
    body = text.clean_source(body).strip()
    limit = None if is_replaying() else text.MAX_POST_BYTES
    try:
        write_body(thing, body, source_format, limit=limit, base_url=base_url)
    except text.TooLong as problem:
        raise ValidationError({"body": problem.messages}) from problem
    gates.check_newcomer(thing, by)


def _too_short(least: int) -> str:
    return _("Write a little more: %(least)d characters at least.") % {"least": least}


def _checked(
    product: Product,
    *,
    stars: int,
    title: str,
    body: str,
    did_well: str,
    could_be_better: str,
    would_recommend: bool | None,
    secondary: Mapping[str, int] | None,
    disclosure: str,
    owned_months: int | None,
) -> dict[str, Any]:
    """The fields as they are stored, or ValidationError with a message at each that can't be."""
    errors: dict[str, str] = {}
    if stars not in range(1, 6):
        errors["stars"] = _("Choose one to five stars.")
    title = text.clean_line(title)
    if not title or (not is_replaying() and len(title) < SHORTEST_TITLE):
        errors["title"] = _("Give it a title.")
    elif len(title) > LONGEST_TITLE:
        errors["title"] = _("A title has at most %(most)d characters.") % {"most": LONGEST_TITLE}
    body = text.clean_source(body).strip()
    if not body or (not is_replaying() and len(body) < SHORTEST_BODY):
        errors["body"] = _too_short(SHORTEST_BODY)
    sides = {
        "did_well": text.clean_source(did_well).strip(),
        "could_be_better": text.clean_source(could_be_better).strip(),
    }
    for field, words in sides.items():
        if len(words) > LONGEST_SIDE:
            errors[field] = _("At most %(most)d characters here.") % {"most": LONGEST_SIDE}
    known = {rating["slug"] for rating in product.family.secondary_ratings}
    given = dict(secondary or {})
    if not set(given) <= known or any(value not in range(1, 6) for value in given.values()):
        errors["secondary"] = _("Choose one to five for each of the further ratings.")
    if disclosure not in Disclosure.values:
        errors["disclosure"] = _("Say how you came by it.")
    if owned_months is not None and not 0 <= owned_months <= OLDEST_MONTHS:
        errors["owned_months"] = _("How many months is that? Use a whole number.")
    if errors:
        raise ValidationError(errors)
    return {
        "stars": stars,
        "title": title,
        **sides,
        "would_recommend": would_recommend,
        "secondary": given,
        "disclosure": disclosure,
        "owned_months": owned_months,
    }


def _count_photos(review: Review) -> None:
    content_type = ContentType.objects.get_for_model(review)
    count = Upload.objects.filter(target_type=content_type, target_id=review.pk).count()
    if review.photo_count != count:
        review.photo_count = count
        review.save(update_fields=["photo_count"])


def _keep_version(review: Review, by: User, summary: str = "") -> int:
    return posts.add_revision(
        review,
        by,
        title=review.title,
        body_source=review.body_source,
        source_format=review.source_format,
        summary=summary,
        more=history.beside(review),
    ).number


def _open_refusal(review: Review) -> Refusal | None:
    return review.refusals.filter(resubmitted_at=None).last()


def _send_again(row: Review, by: User) -> None:
    now = clock.now()
    row.refusals.filter(resubmitted_at=None).update(resubmitted_at=now)
    row.visibility, row.hidden_reason, row.hidden_at, row.hidden_by = Visibility.PENDING, "", None, None
    row.due_at = business_hours_later(now)
    row.save(update_fields=[*STATE_FIELDS, "due_at"])
    record("review.submitted", actor=by, subject=row, product=row.product_id, stars=row.current_stars, again=True)


def _back_to_waiting(row: Review, by: User) -> None:
    """The house looks at every review before it is shown: a change needs another look."""
    row.visibility, row.due_at = Visibility.PENDING, business_hours_later(clock.now())
    row.save(update_fields=["visibility", "due_at"])
    record("review.submitted", actor=by, subject=row, product=row.product_id, stars=row.current_stars, again=True)


def _stands_in(passage: str, review: Review) -> bool:
    texts = [
        review.title,
        review.body_text,
        review.body_source,
        review.did_well,
        review.could_be_better,
        *(chapter.body_text for chapter in review.chapters.all()),
        *(words for photo in photos_of([review])[review.pk] for words in (photo.alt, photo.caption)),
    ]
    return any(passage in " ".join(words.split()) for words in texts)


def _copy(row: Review, review: Review, *fields: str) -> None:
    """What changed on the locked row, onto the one the caller holds."""
    for field in fields:
        setattr(review, field, getattr(row, field))
