"""What people do to a ledger: asking, answering, judging, changing one's mind, moderating, erring. One list of acts for
the state machine of the tests and for the proof with eight writers."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError

from advocates import rings
from advocates.models import VoteFinding
from community.accounts.models import User
from community.accounts.services import join, set_role
from community.core import clock
from community.core.errors import Conflict, NotAllowed
from community.events.log import replay
from community.moderation import services as moderation
from community.questions import services as questions
from community.questions.models import Answer, Kind, Thread
from community.sharing import services as sharing
from community.sharing.models import Tip
from products.models import Family, Product
from products.services import add_to_shelf

REFUSED = (Conflict, NotAllowed, ValidationError, ObjectDoesNotExist, IndexError)


@dataclass
class World:
    """Who and what there is, by id: rows are read anew for each act."""

    people: list[int] = field(default_factory=list)
    products: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    tips: list[int] = field(default_factory=list)
    moderator: int = 0


def new_world(people: int = 8, name: str = "p") -> World:
    """People, two products and a moderator; half of the people own a product."""
    world = World()
    family = Family.objects.create(slug=f"{name}-family", name="Family")
    for number in range(2):
        slug = f"{name}-{number}"
        world.products.append(Product.objects.create(slug=slug, name=slug.title(), family=family).pk)
    for number in range(people + 1):
        person = join(f"{name}{number}", f"Person {number}", email=f"{name}{number}@example.org", trust=1)
        world.people.append(person.pk)
        if number % 2:
            add_to_shelf(Product.objects.get(pk=world.products[number % 4 // 2]), person)
    world.moderator = world.people.pop()
    set_role(User.objects.get(pk=world.moderator), None, "moderator")
    return world


def _person(world: World, dice: random.Random) -> User:
    return User.objects.get(pk=dice.choice(world.people))


def _moderator(world: World) -> User:
    return User.objects.get(pk=world.moderator)


def _thread(world: World, dice: random.Random) -> Thread:
    return Thread._base_manager.get(pk=dice.choice(world.threads))


def _answer(world: World, dice: random.Random) -> Answer:
    return Answer._base_manager.select_related("thread", "author").get(pk=dice.choice(world.answers))


def ask(world: World, dice: random.Random) -> None:
    product = dice.choice([*world.products, None])
    thread = questions.post_thread(
        _person(world, dice), kind=dice.choice([Kind.QUESTION, Kind.PROBLEM, Kind.IDEA]),
        title=f"Why does number {dice.randrange(10**9)} drip at night", body="It has dripped since Monday, all night.",
        product=Product.objects.get(pk=product) if product else None,
    )  # fmt: skip
    world.threads.append(thread.pk)


def answer(world: World, dice: random.Random) -> None:
    body = f"Clean the gasket with a soft brush, number {dice.randrange(10**9)}."
    world.answers.append(questions.post_answer(_thread(world, dice), _person(world, dice), body=body).pk)


def vote_answer(world: World, dice: random.Random) -> None:
    questions.vote_answer(_answer(world, dice), _person(world, dice), dice.choice([1, 1, 1, -1, 0]))


def vote_thread(world: World, dice: random.Random) -> None:
    questions.vote_thread(_thread(world, dice), _person(world, dice), dice.choice([1, 1, -1, 0]))


def accept(world: World, dice: random.Random) -> None:
    chosen = _answer(world, dice)
    questions.accept_answer(chosen, dice.choice([chosen.thread.author, _moderator(world)]))


def withdraw(world: World, dice: random.Random) -> None:
    chosen = _answer(world, dice)
    questions.withdraw_acceptance(chosen, chosen.thread.author)


def follow_up(world: World, dice: random.Random) -> None:
    chosen = _answer(world, dice)
    questions.answer_follow_up(chosen, chosen.thread.author, dice.choice(["yes", "yes", "no"]))


def works(world: World, dice: random.Random) -> None:
    questions.say_works_for_mine(_answer(world, dice), _person(world, dice), dice.choice([True, True, False, None]))


def _post(world: World, dice: random.Random) -> Thread | Answer:
    return dice.choice([_thread, _answer])(world, dice)  # type: ignore[no-any-return]


def hide(world: World, dice: random.Random) -> None:
    moderation.hide(_post(world, dice), _moderator(world), reason="A look first.")


def restore(world: World, dice: random.Random) -> None:
    moderation.restore(_post(world, dice), _moderator(world))


def delete(world: World, dice: random.Random) -> None:
    if dice.random() < 0.3:
        moderation.delete(_post(world, dice), _moderator(world), reason="No.")


def spam(world: World, dice: random.Random) -> None:
    flag = moderation.flag(_post(world, dice), _person(world, dice), reason=dice.choice(["spam", "rude"]))
    moderation.decide_flag(flag, _moderator(world), uphold=dice.random() < 0.6)


def tally(world: World, dice: random.Random) -> None:
    now = clock.now()
    rows = [(f"{dice.randrange(10**12)}.{n}", now - timedelta(hours=n)) for n in range(dice.randint(1, 5))]
    questions.add_vote_rows(_answer(world, dice), value=dice.choice([1, 1, -1]), rows=rows, source="elsewhere.example")


def move(world: World, dice: random.Random) -> None:
    product = Product.objects.get(pk=dice.choice(world.products))
    questions.move_thread(_thread(world, dice), _moderator(world), product=product, reason="It is about this.")


def tip(world: World, dice: random.Random) -> None:
    if not world.tips or dice.random() < 0.2:
        body = f"Warm the cup first, number {dice.randrange(10**9)}, and the coffee stays hot."
        made = sharing.share_tip(_person(world, dice), title="A hot cup", body=body)
        world.tips.append(made.pk)
        return
    chosen = Tip.objects.get(pk=dice.choice(world.tips))
    sharing.say_worked(chosen, _person(world, dice), dice.choice([True, True, False, None]))


def sides(world: World, dice: random.Random) -> None:
    if dice.random() < 0.3:
        set_role(_person(world, dice), None, dice.choice(["", "moderator"]))


def look_for_rings(world: World, dice: random.Random) -> None:
    """The nightly look, and a moderator who takes out what it found or gives it back."""
    rings.look()
    found = VoteFinding.objects.exclude(state=VoteFinding.State.LEFT).order_by("?").first()
    if found is not None:
        act: Callable[..., Any] = rings.take_out if found.state == VoteFinding.State.OPEN else rings.give_back
        act(found, _moderator(world), reason="By dice.")


ACTS: tuple[Callable[[World, random.Random], None], ...] = (
    ask, answer, answer, answer, vote_answer, vote_answer, vote_answer, vote_answer, vote_thread, vote_thread, accept,
    withdraw, follow_up, works, works, hide, restore, restore, restore, delete, spam, tally, move, tip, tip, sides,
    look_for_rings,
)  # fmt: skip


def perform(act: Callable[[World, random.Random], None], world: World, seed: int, at: datetime) -> bool:
    """One act at a moment; what the services refuse is refused. Returns whether it was done."""
    try:
        with replay("demo", at):
            act(world, random.Random(seed))
    except REFUSED:
        return False
    return True
