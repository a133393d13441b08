"""Reviews, what others found of them, and the mails that asked for them."""

from community.core.personal import (
    GONE,
    MOVES,
    STAYS,
    Joining,
    Leaving,
    after_joining,
    before_joining,
    before_leaving,
    part,
    tie,
)
from community.moderation import services as moderation
from community.posts import personal as posts
from products.models import Ownership

from . import services
from .models import Chapter, DeviceTrace, HelpfulVote, Refusal, Review

tie(
    "reviews.Review.author", left=STAYS, joined=MOVES,
    copy="pk product__name stars title body_source did_well could_be_better would_recommend secondary disclosure "
    "owned_months verified visibility created_at edited_at",
)  # fmt: skip
part("reviews.Chapter.review__author", copy="review_id months_owned stars body_source still_in_use created_at")
part("reviews.Refusal.review__author", copy="review_id code passage note at appeal appealed_at granted")
tie("reviews.Review.hidden_by", left=STAYS, joined=STAYS)
tie("reviews.HelpfulVote.voter", left=STAYS, joined=MOVES, copy="target_id helpful created_at")
tie("reviews.BrandResponse.author", left=STAYS, joined=MOVES)
tie("reviews.Refusal.by", left=STAYS, joined=MOVES)
tie("reviews.Hint.settled_by", left=STAYS, joined=MOVES)
tie("reviews.RequestMail.person", left=GONE, joined=MOVES, copy="at")
tie(
    "reviews.ReviewRequest.person", left=GONE, joined=MOVES,
    copy="product__name bought_on opened_at opened_stars reviewed_at",
)  # fmt: skip


@before_leaving
def take_along(leaving: Leaving) -> None:
    person = leaving.person
    DeviceTrace.objects.filter(review__author=person).delete()
    Refusal.objects.filter(review__author=person).update(appeal="")
    if not leaving.words_go:
        return
    for vote in HelpfulVote.objects.filter(voter=person).select_related("target").order_by("target"):
        services.unsay_helpful(vote.target, person)
    posts.take_away(Review.objects.filter(author=person), person, empty=_without_words)


def _without_words(review: Review) -> None:
    review.title = posts.taken_along(review.language)[:150]
    review.did_well = review.could_be_better = ""
    review.text_marks.all().delete()
    review.refusals.update(passage="", note="")
    for chapter in Chapter.objects.filter(review=review):
        posts.empty_versions(chapter, "")
    Chapter.objects.filter(review=review).update(body_source="", body_html="", body_text="", label="")


@before_joining
def one_review_a_product(joining: Joining) -> None:
    """The account that stays keeps its review; and nobody finds their own helpful."""
    gone, kept, by = joining.gone, joining.kept, joining.by
    live = Review.objects.exclude(visibility=Review.Visibility.DELETED)
    for double in live.filter(author=gone, product__in=live.filter(author=kept).values("product")).order_by("pk"):
        moderation.delete(double, gone)
    theirs = HelpfulVote.objects.filter(voter=kept).values("target")
    for vote in HelpfulVote.objects.filter(voter=gone, target__in=theirs).select_related("target"):
        services.take_helpful_out(vote.target, gone, by)
    for voter, author in ((gone, kept), (kept, gone)):
        for vote in HelpfulVote.objects.filter(voter=voter, target__author=author).select_related("target"):
            services.take_helpful_out(vote.target, voter, by)


@after_joining
def verified_by_either(joining: Joining) -> None:
    """One account may have had the review and the other the proof."""
    for row in Ownership.objects.filter(owner=joining.kept).exclude(verified="").select_related("product"):
        services.copy_verification(row.owner, row.product)
