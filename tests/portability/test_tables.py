"""import_products and import_reviews: nothing lost without a reason, twice harmless, what was done here stays."""

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DataError
from django.test import Client

from community.accounts.models import User
from community.portability import joining
from community.portability.models import SourceProduct
from products.models import Family, Product
from products.pages import ProductPage
from reviews import ratings, services
from reviews.models import HelpfulVote, Review

from .conftest import newest_rows

DATA = Path(os.environ.get("SHARED_DATA", Path(settings.ROOT).parent / "shared" / "data"))
pytestmark = pytest.mark.django_db


def a_row(key: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"r{key}",
        "product": "duo",
        "person": f"p{key}",
        "name": f"Writer Number {key}",
        "stars": key % 5 + 1,
        "title": f"What I think, part {key}",
        "body": f"I have used it {key} times.\n\nIt still works.",
        "created_at": "2019-03-04T10:00:00+01:00",
        **fields,
    }


@pytest.fixture
def bring(tmp_path: Path, duo: Product) -> Callable[..., str]:
    """Write rows as JSON lines or CSV and import them; returns what the command said."""

    def act(
        rows: list[dict[str, Any]] | str | bytes, *more: str, name: str = "rows.jsonl", what: str = "reviews"
    ) -> str:
        path = tmp_path / name
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        else:
            told = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
            path.write_text(told, encoding="utf-8")
        out = StringIO()
        source = [] if "--source" in more else ["--source", "shop.example.com"]
        call_command(f"import_{what}", str(path), *source, *more, stdout=out)
        return out.getvalue()

    return act


# --- reviews


def test_a_review_comes_with_all_that_was_said_of_it(bring: Callable[..., str], duo: Product) -> None:
    duo.family.secondary_ratings = [{"slug": "noise", "name": "Quietness"}]
    duo.family.save()
    row = a_row(
        4, helpful_yes=3, helpful_no=1, did_well="The valve.", could_be_better="The cable.", would_recommend="yes",
        owned_months=14, disclosure="free", language="de", url="https://shop.example.com/r/4", licence="CC BY 4.0",
    )  # fmt: skip
    row["secondary.noise"] = 2
    bring([row])
    review = Review.objects.get()
    assert (review.stars, review.title, review.created_at) == (5, row["title"], datetime(2019, 3, 4, 9, tzinfo=UTC))
    assert (review.did_well, review.could_be_better, review.would_recommend) == ("The valve.", "The cable.", True)
    assert (review.owned_months, review.disclosure, review.secondary) == (14, "free", {"noise": 2})
    assert (review.helpful_yes, review.helpful_no, review.language) == (3, 1, "de")
    assert review.published_at == review.created_at
    assert review.body_html == "<p>I have used it 4 times.</p><p>It still works.</p>"
    duo.refresh_from_db()
    assert (duo.rating_count, duo.stars_5) == (1, 1)
    assert HelpfulVote.objects.filter(voter=None, source="shop.example.com").count() == 4


def test_what_no_database_keeps_is_cleaned_or_refused_by_row(bring: Callable[..., str]) -> None:
    bring([a_row(1, id="a\u0000b", person="p\ud800q")])
    assert (Review.objects.get().external_id, User.objects.get(source="shop.example.com").external_id) == (
        "ab",
        "p\ufffdq",
    )
    with pytest.raises(CommandError, match=r"1 rows are wrong"):
        bring([a_row(2, created_at="0001-01-01T00:00:00+14:00")])


def test_what_only_the_database_refuses_is_a_row_that_is_wrong(
    bring: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise DataError("integer out of range")

    monkeypatch.setattr(services, "write_review", refuse)
    with pytest.raises(CommandError, match=r"1 rows are wrong"):
        bring([a_row(1)])


def test_source_and_licence_are_shown(bring: Callable[..., str], client: Client) -> None:
    bring([a_row(1, url="https://shop.example.com/r/1", licence="CC BY 4.0")])
    review = Review.objects.get()
    for address in (review.get_absolute_url(), "/reviews/?product=duo"):
        page = client.get(address).content.decode()
        assert 'href="https://shop.example.com/r/1"' in page
        assert "First published at shop.example.com" in page
        assert "CC BY 4.0" in page


def test_authors_come_with_a_name_and_cannot_sign_in(bring: Callable[..., str], client: Client) -> None:
    bring([a_row(1), a_row(2, person="p1", product="duo", body="Later I thought otherwise of the whole thing.")])
    author = User.objects.get(source="shop.example.com")
    assert (author.name, author.external_id, author.email) == ("Writer Number 1", "p1", None)
    assert not author.has_usable_password()
    assert author.reviews.count() == 2


def test_nobody_and_names_alone_are_told_apart(bring: Callable[..., str]) -> None:
    bring([
        a_row(1, person="", name=""), a_row(2, person="", name=""), a_row(3, person="", name="Ann"),
        a_row(4, person="", name="Ann"),
    ])  # fmt: skip
    assert Review.objects.values("author").distinct().count() == 3
    assert Review.objects.filter(author__name="Ann").count() == 2


def test_twice_is_harmless(bring: Callable[..., str]) -> None:
    rows = [a_row(number, helpful_yes=2) for number in range(1, 8)]
    bring(rows, "--batch", "3")
    before = newest_rows()
    assert "0 added, 0 changed, 0 withdrawn." in bring(rows)
    assert newest_rows() == before


def test_a_dry_run_says_what_would_be_and_writes_nothing(bring: Callable[..., str]) -> None:
    before = newest_rows()
    rows = [a_row(number, person=f"p{number % 3}") for number in range(1, 8)]
    said = bring(rows, "--dry-run", "--batch", "2")
    assert newest_rows() == before
    assert "It would be: 10 added, 0 changed" in said  # seven reviews, three people


def test_a_newer_table_adds_and_changes_but_not_what_was_changed_here(
    bring: Callable[..., str], ravi: User, charlie: User, hanna: User, duo: Product
) -> None:
    rows = [a_row(number) for number in range(1, 5)]
    bring(rows)
    ours, hidden = Review.objects.get(external_id="r1"), Review.objects.get(external_id="r2")
    services.edit_review(ours, ours.author, stars=3, title="Mended here", body="Its author came and wrote it anew.")
    services.refuse_review(hidden, ravi, code="personal_data", passage="What I think")
    for row in rows:
        row |= {"stars": 1, "title": "On second thoughts", "helpful_yes": 2}
    said = bring([*rows, a_row(9)])
    assert "reviews changed there after they were changed here; ours stay" in said
    assert "reviews changed there but are not shown here, and stay so" in said
    told = dict(Review.objects.values_list("external_id", "title"))
    assert told == {
        "r1": "Mended here", "r2": "What I think, part 2", "r3": "On second thoughts", "r4": "On second thoughts",
        "r9": "What I think, part 9",
    }  # fmt: skip
    assert Review.objects.get(external_id="r3").helpful_yes == 2
    joining.join(Review.objects.get(external_id="r4").author, charlie, hanna, reason="Proved by mail from that shop.")
    assert ratings.differences() == []
    before = newest_rows()
    bring([*rows, a_row(9)])
    assert newest_rows() == before
    bring([{**row, "title": "On third thoughts"} for row in rows])
    told = dict(Review.objects.values_list("external_id", "title"))
    assert (told["r3"], told["r4"]) == ("On third thoughts", "On second thoughts"), "Charlie's own words by now"


def test_the_same_words_twice_are_left_out_with_the_reason(bring: Callable[..., str]) -> None:
    said = bring([
        a_row(1), a_row(1), a_row(2, person="p1", title=a_row(1)["title"], body=a_row(1)["body"], stars=4),
        a_row(3, person="p1"), a_row(4, body=a_row(1)["body"], title=a_row(1)["title"]),
    ])  # fmt: skip
    assert "2 rows were left out:" in said
    assert "row 2: row 1 is the same" in said
    assert "row 3: the same words by the same person about the same product as in row 1" in said
    assert set(Review.objects.values_list("external_id", flat=True)) == {"r1", "r3", "r4"}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"product": "nothing"}, "there is no product 'nothing': import_products first"),
        ({"stars": "4.5"}, "stars is '4.5', not a whole number from 1 to 5"),
        ({"stars": 0}, "stars is '0'"),
        ({"stars": ""}, "it has no stars"),
        ({"stars": "nan"}, "stars is 'nan'"),
        ({"created_at": "yesterday"}, "created_at is 'yesterday', not a date"),
        ({"created_at": "2999-01-01"}, "before there were reviews, or not yet"),
        ({"created_at": "9" * 15}, "not a date"),
        ({"created_at": ""}, "it has no date"),
        ({"body": " <br> "}, "it has no text"),
        ({"title": "x" * 151}, "its title has 151 characters; 150 is the most"),
        ({"did_well": "x" * 1001}, "did_well has 1001 characters"),
        ({"helpful_no": -2}, "helpful_no is '-2'"),
        ({"disclosure": "bribed"}, "disclosure is 'bribed', not one of"),
        ({"would_recommend": "perhaps"}, "neither yes nor no"),
        ({"url": "javascript:alert(1)"}, "not the address of a page"),
        ({"body": ["a", "list"]}, "body holds a list or an object"),
        ({"secondary.noise": 3}, "is not rated on 'noise'"),
        ({"id": "r1", "stars": 1}, "row 1 has the same id and says something else"),
    ],
)
def test_a_wrong_row_stops_everything_and_says_why(
    bring: Callable[..., str], tmp_path: Path, wrong: dict[str, Any], reason: str
) -> None:
    rows = [a_row(1), a_row(2) | wrong, a_row(3)]
    report = tmp_path / "report.csv"
    with pytest.raises(CommandError, match="1 rows are wrong, so nothing was written"):
        bring(rows, "--report", str(report))
    assert not Review.objects.exists()
    (line,) = list(csv.DictReader(report.open()))
    assert (line["row"], line["what"]) == ("2", "error")
    assert reason in line["reason"]
    assert reason in bring(rows, "--skip-bad-rows")
    assert set(Review.objects.values_list("external_id", flat=True)) == {"r1", "r3"}


def test_csv_in_another_encoding_with_a_mapping(bring: Callable[..., str], tmp_path: Path) -> None:
    mapping = tmp_path / "ours.yaml"
    mapping.write_text(
        "source: laden.example.de\nlicence: CC BY 4.0\nencoding: cp1252\nzone: Europe/Berlin\nfields:\n"
        "  id: Nr\n  product: Ware\n  name: Wer\n  stars: Sterne\n  title: Kopf\n  body: Text\n"
        '  created_at: {column: Tag, format: "%d.%m.%Y"}\n  helpful_yes: Ja\n  helpful_no: {column: Alle, minus: Ja}\n'
        '  url: {template: "https://laden.example.de/{Ware}"}\n  disclosure: {value: bought}\n'
        '  would_recommend: {column: Rat, values: {J: "yes", N: "no"}}\nproducts:\n  "Mühle 1": duo\n'
    )
    table = (
        "Nr;Ware;Wer;Sterne;Kopf;Text;Tag;Ja;Alle;Rat\r\n"
        '7;Mühle 1;Jörg "J." Groß;4;"Schön &amp; gut";"Läuft, <b>leise</b>;<br />und lange.";24.12.2018;3;5;J\r\n'
    )
    bring(table.encode("cp1252"), "--source", "laden.example.de", "--mapping", str(mapping), name="rows.csv")
    review = Review.objects.get()
    assert (review.author.name, review.title) == ('Jörg "J." Groß', "Schön & gut")
    assert "<strong>leise</strong>" in review.body_html or "<b>leise</b>" in review.body_html
    assert (review.helpful_yes, review.helpful_no, review.would_recommend) == (3, 2, True)
    assert review.created_at == datetime(2018, 12, 23, 23, tzinfo=UTC)
    assert review.source_url == "https://laden.example.de/M%C3%BChle%201"
    with pytest.raises(CommandError, match="not all UTF-8; say --encoding cp1252"):
        bring(table.encode("cp1252"), name="rows.csv")


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "rows.csv", "it is empty"),
        (b"a,b,a\n1,2,3\n", "rows.csv", "two columns are called 'a'"),
        (b"a,b\n1,2\n", "rows.csv", "no column is named for product, stars, body, created_at"),
        (b'product,stars,body,created_at\nduo,4,"never closed\n', "rows.csv", "no valid CSV"),
        (
            gzip.compress(b"product,stars,body,created_at\n" * 9, mtime=0)[:-12],
            "rows.csv.gz",
            "the gzip file is damaged",
        ),
        (b"product,stars,body,created_at\nduo,4,too few\n", "rows.csv", "rows are wrong"),
        (b'["no object"]\n', "rows.jsonl", "no column is named"),
    ],
)
def test_a_broken_file_says_where(bring: Callable[..., str], content: bytes, name: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        bring(content, name=name)
    assert not Review.objects.exists()


def test_a_file_with_marks_and_utf16_is_read(bring: Callable[..., str]) -> None:
    table = "product,stars,body,created_at\nduo,4,It’s fine and holds its heat.,2020-01-02\n"
    bring(table.encode("utf-8-sig"), name="rows.csv")
    bring(table.encode("utf-16"), name="rows.csv")
    assert Review.objects.count() == 1  # the same row both times


def test_hostile_text_is_inert(bring: Callable[..., str], client: Client) -> None:
    bad = '<p>Fine<script>alert(1)</script><img src=x onerror=alert(2)> <a href="javascript:alert(3)">x</a></p>'
    bring([a_row(1, title=bad, name='"><script>alert(4)</script>', body=bad, did_well=bad)])
    page = client.get(Review.objects.get().get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript' not in page


def test_nobody_is_written_to(bring: Callable[..., str], mailoutbox: list[Any]) -> None:
    from community.core.models import Delivery

    bring([a_row(1)])
    assert not Delivery.objects.exists()
    assert mailoutbox == []


# --- products


def products(bring: Callable[..., str], rows: list[dict[str, Any]], *more: str) -> str:
    return bring(rows, *more, name="products.jsonl", what="products")


def test_a_product_comes_with_family_and_page(bring: Callable[..., str], client: Client) -> None:
    row = {
        "id": "G-7", "name": "Hand Mill &amp; Co", "family": "Hand mills", "tagline": "Quiet at six in the morning.",
        "description": "It grinds. <script>alert(1)</script>", "url": "https://shop.example.com/g7",
        "licence": "CC BY 4.0", "launched_on": "2020-05-06",
    }  # fmt: skip
    products(bring, [row])
    product = Product.objects.get(slug="hand-mill-co")
    assert (product.name, product.family.slug, str(product.launched_on)) == (
        "Hand Mill & Co",
        "hand-mills",
        "2020-05-06",
    )
    page = client.get("/products/hand-mill-co/").content.decode()
    assert "Quiet at six in the morning." in page
    assert "<script>alert" not in page
    tied = SourceProduct.objects.get()
    assert (tied.external_id, tied.licence, tied.product) == ("G-7", "CC BY 4.0", product)
    assert "https://shop.example.com/g7" in page
    assert "CC BY 4.0" in page
    bring([a_row(1, product="G-7")])
    assert Review.objects.get().product == product


def test_products_twice_dry_and_newer(bring: Callable[..., str]) -> None:
    rows = [{"id": f"x{n}", "name": f"Thing {n}", "family": "Things", "what": "A thing."} for n in range(1, 4)]
    before = newest_rows()
    assert "It would be: 7 added" in products(bring, rows, "--dry-run")  # three rows, three pages, one family
    assert newest_rows() == before
    products(bring, rows)
    before = newest_rows()
    assert "0 added, 0 changed" in products(bring, rows)
    assert newest_rows() == before
    Product.objects.filter(slug="thing-1").update(name="What an editor calls it")
    said = products(bring, [{**row, "name": f"New {row['name']}", "slug": row["id"]} for row in rows])
    assert set(Product.objects.filter(family__slug="things").values_list("name", flat=True)) == {
        "What an editor calls it", "New Thing 2", "New Thing 3",
    }  # fmt: skip
    assert "1 fields were changed both there and here; ours stay." in said
    assert ProductPage.objects.get(product__slug="thing-2").title == "New Thing 2"


def test_a_product_that_is_ours_is_not_taken_over_silently(
    bring: Callable[..., str], tmp_path: Path, duo: Product
) -> None:
    row = {"id": "77", "slug": "duo", "name": "Another Duo", "family": "Things"}
    with pytest.raises(CommandError, match="1 rows are wrong"):
        products(bring, [row])
    mapping = tmp_path / "tie.yaml"
    mapping.write_text("fields: {id: id, slug: slug, name: name, family: family}\nproducts: {'77': duo}\n")
    products(bring, [row], "--mapping", str(mapping))
    duo.refresh_from_db()
    assert duo.name == "Brindle Duo"
    assert SourceProduct.objects.get().product == duo


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"name": "Nameless family"}, "it has no family"),
        ({"family": "Things"}, "neither id, nor slug, nor name"),
        ({"id": "x", "name": "x" * 121, "family": "Things"}, "name has 121 characters"),
        ({"name": "Ok", "slug": "a/b", "family": "Things"}, "may hold letters"),
        ({"name": "Ok", "lifecycle": "lost", "family": "Things"}, "lifecycle is 'lost'"),
    ],
)
def test_a_wrong_product_stops_everything(bring: Callable[..., str], row: dict[str, Any], reason: str) -> None:
    good = {"name": "Good", "family": "Things"}
    with pytest.raises(CommandError):
        products(bring, [good, row])
    assert not Product.objects.filter(slug="good").exists()
    assert not Family.objects.filter(slug="things").exists()
    assert reason in products(bring, [good, row], "--skip-bad-rows")
    assert Product.objects.filter(slug="good").exists()


# --- the real set


def fine_food() -> Path:
    path = DATA / "amazon-fine-food-reviews" / "Reviews.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path.parent.name} is not on this machine (SHARED_DATA says where it is)")
    return path


def part_of_fine_food(tmp_path: Path, rows: int) -> Path:
    with gzip.open(fine_food(), "rt", newline="") as whole, (tmp_path / "part.csv").open("w", newline="") as part:
        write = csv.writer(part)
        for number, row in enumerate(csv.reader(whole)):
            if number <= rows:
                write.writerow(row)
    return tmp_path / "part.csv"


def check_fine_food(path: Path, left_out: int) -> None:
    call_command(
        "import_products", str(path), "--mapping", "amazon-fine-food-products", "--no-pages", stdout=StringIO()
    )
    out = StringIO()
    call_command("import_reviews", str(path), "--mapping", "amazon-fine-food", stdout=out)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    there = {row["Id"]: row for row in csv.DictReader(StringIO(raw.decode(), newline=""))}
    here = {
        review.external_id: review for review in Review.objects.filter(source="amazon.com").select_related("author")
    }
    assert len(here) + left_out == len(there)
    assert (f"{left_out} rows were left out:" in out.getvalue()) == bool(left_out)
    for key, review in here.items():
        row = there[key]
        assert review.stars == int(row["Score"])
        assert review.created_at == datetime.fromtimestamp(int(row["Time"]), UTC)
        assert review.helpful_yes == int(row["HelpfulnessNumerator"])
        assert review.helpful_yes + review.helpful_no == int(row["HelpfulnessDenominator"])
        assert review.author.external_id == row["UserId"]
        assert review.author.email is None
        assert review.licence == "CC0 1.0"
        assert "<br" not in review.body_text
    assert ratings.differences() == []
    before = newest_rows()
    again = StringIO()
    call_command("import_reviews", str(path), "--mapping", "amazon-fine-food", stdout=again)
    assert "0 added, 0 changed, 0 withdrawn." in again.getvalue()
    assert newest_rows() == before


def test_the_beginning_of_the_fine_food_set(tmp_path: Path) -> None:
    check_fine_food(part_of_fine_food(tmp_path, 150), 0)


@pytest.mark.slow
@pytest.mark.once
def test_the_fine_food_set_is_whole() -> None:
    """4,875 rows: none is lost, but for those that say the same words again."""
    check_fine_food(fine_food(), 5)


MEASURE = """
import os, resource, sys
import django
django.setup()
from django.core.management import call_command
def peak():
    # Kilobytes, but on macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
call_command("check", verbosity=0)
idle = peak()
call_command("import_reviews", *sys.argv[1:], verbosity=0)
print(peak() - idle)
"""


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_table(tmp_path: Path, duo: Product) -> None:
    """Ten times the rows, hardly more memory."""
    described = settings.DATABASES["default"]
    if not described["ENGINE"].endswith("sqlite3"):
        pytest.skip("measured on SQLite, where it takes the most")

    def growth(rows: int) -> float:
        path = tmp_path / f"{rows}.jsonl"
        with path.open("w") as table:
            for key in range(rows):
                # Most rows repeat an id word for word: the table is long, and few of them are written.
                table.write(json.dumps(a_row(key % 200, body="It drips at night. " * 300)) + "\n")
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "community.settings.test",
            "DATABASE_URL": f"sqlite:///{Path(described['NAME']).resolve()}",
        }
        command = [sys.executable, "-c", MEASURE, str(path), "--source", f"shop{rows}.example.com"]
        done = subprocess.run(  # noqa: S603
            command, cwd=settings.ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return float(done.stdout.splitlines()[-1])

    small, large = growth(1_000), growth(10_000)
    assert Review.objects.count() == 400
    assert large - small < 30
