"""Departments, people and roles in the Wagtail admin."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from community.accounts.departments import archive_department, public_holidays, save_department
from community.accounts.models import Department, Membership, User
from community.accounts.services import role_of, set_role
from community.core.errors import Conflict, NotAllowed
from community.events.models import Event
from tests import factories

pytestmark = pytest.mark.django_db
Enrol = Callable[[User], None]


@pytest.fixture
def manager(client: Client, hanna: User, enrol: Enrol) -> Client:
    enrol(hanna)
    client.force_login(hanna)
    return client


def data(*members: User, **changes: Any) -> dict[str, Any]:
    return {
        "members": [person.pk for person in members],
        "name": "Repairs", "slug": "repairs", "lead": "", "mailbox": "repairs@example.org",
        "time_zone": "Europe/Berlin", "hours_text": "Mon 8 to 12", "acknowledge_hours": "4", "resolve_hours": "24",
        "day_0": "08:00-12:00, 13:00–17:00", "holiday_lines": "12-25\n2026-04-03", **changes,
    }  # fmt: skip


@pytest.fixture
def mechanic(db: None) -> User:
    mechanic = factories.a_person("mechanic")
    set_role(mechanic, None, "editor")
    return User.objects.get(pk=mechanic.pk)


def test_a_manager_makes_and_changes_a_department(manager: Client, mechanic: User) -> None:
    assert manager.get(reverse("departments:add")).status_code == 200
    public = {"holiday_country": "DE", "holiday_region": "BY"}
    assert manager.post(reverse("departments:add"), data(mechanic, lead=mechanic.pk, **public)).status_code == 302
    department = Department.objects.get(slug="repairs")
    assert department.hours == {"0": [["08:00", "12:00"], ["13:00", "17:00"]]}
    assert department.holidays == ["12-25", "2026-04-03"]
    assert [row.user for row in department.memberships.all()] == [mechanic]
    mechanic.refresh_from_db()
    assert (mechanic.department, role_of(mechanic)) == (department, "editor")
    assert public_holidays("DE", "BY", 2026) > {date(2026, 1, 6), date(2026, 4, 3)}
    edit = reverse("departments:edit", args=[department.pk])
    form = manager.get(edit).content.decode()
    assert "08:00-12:00, 13:00-17:00" in form and "The hours themselves stand there anyway." in form
    german = {"said_de_name": "Werkstatt", "said_de_hours_text": "Mo 8 bis 12"}
    assert list(manager.get(edit).context["form"].fields)[:2] == ["name", "said_de_name"]
    assert manager.post(edit, data(mechanic, name="Workshop", **german)).status_code == 302
    assert Department.objects.get(slug="repairs").translations["de"] == {
        "name": "Werkstatt", "hours_text": "Mo 8 bis 12",
    }  # fmt: skip
    User.objects.filter(pk=mechanic.pk).update(is_active=False)  # suspended: stays a member, and the lead
    assert manager.post(edit, data(mechanic, name="Workshop", lead=mechanic.pk)).status_code == 302
    department.refresh_from_db()
    assert (department.name, department.lead) == ("Workshop", mechanic)
    assert [row.user for row in department.memberships.all()] == [mechanic]
    assert "Mon 08:00–12:00, 13:00–17:00 (Berlin)" in manager.get(reverse("departments:index")).content.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"day_1": "8-12"},
        {"day_1": "12:00-08:00"},
        {"day_1": "08:00-12:00, 11:00-13:00"},
        {"holiday_lines": "13-45"},
        {"time_zone": "Europe/Nowhere"},
        {"acknowledge_hours": "0"},
        {"day_0": ""},
        {"members": []},
        {"holiday_country": "XX"},
        {"holiday_country": "DE", "holiday_region": "ZZ"},
        {"holiday_region": "BY"},
    ],
)
def test_hours_that_do_not_add_up_are_refused(manager: Client, mechanic: User, changes: dict[str, Any]) -> None:
    response = manager.post(reverse("departments:add"), data(mechanic, **changes))
    assert response.status_code == 200
    assert "Repairs" in response.content.decode()
    assert not Department.objects.filter(slug="repairs").exists()


def test_the_last_of_a_department_does_not_go(manager: Client, dana: User, mechanic: User) -> None:
    """Everybody works in one department: who comes leaves another, which must not be left alone."""
    response = manager.post(reverse("departments:add"), data(dana))
    assert "Nobody would be left in Customer support" in response.content.decode()
    assert not Department.objects.filter(slug="repairs").exists()
    assert Membership.objects.get(user=dana).department.slug == "support"
    response = manager.post(reverse("departments:add"), data(mechanic, lead=dana.pk))
    assert list(response.context["form"].errors) == ["lead"]


def test_a_department_is_closed_not_deleted(manager: Client, support: Department, hanna: User, charlie: User) -> None:
    department = save_department(Department(slug="repairs", name="Repairs"), by=hanna)
    edit = reverse("departments:edit", args=[department.pk])
    assert manager.post(edit, data(closed="on")).status_code == 302
    department.refresh_from_db()
    assert department.archived_at is not None
    assert not Department.objects.current().filter(pk=department.pk).exists()
    with pytest.raises(Conflict):
        archive_department(support, hanna)
    with pytest.raises(NotAllowed):
        archive_department(department, charlie, on=False)
    with pytest.raises(NotAllowed):
        save_department(department, charlie)
    with pytest.raises(ValidationError):
        save_department(Department(slug="x", name="X", hours={"9": []}), by=hanna)


def test_a_manager_gives_roles(manager: Client, bob: User, support: Department) -> None:
    url = reverse("keepers:act", args=[bob.pk, "role"])
    assert manager.get(url).status_code == 405
    assert manager.post(url, {"role": "agent"}).status_code == 422  # an agent needs a department
    for _twice in range(2):
        assert manager.post(url, {"role": "agent", "department": support.pk}).status_code == 303
    bob = User.objects.get(pk=bob.pk)
    assert bob.department == support and bob.has_perm("escalation.work_cases")
    assert manager.post(url, {"role": ""}).status_code == 303
    bob = User.objects.get(pk=bob.pk)
    assert not bob.has_perm("escalation.work_cases") and bob.standing == "former_staff"


def test_people_are_found_and_suspended(manager: Client, bob: User) -> None:
    assert "bob" in manager.get(reverse("keepers:people"), {"q": "Bo"}).content.decode()
    assert "Nobody found" in manager.get(reverse("keepers:people"), {"q": "\0zzz"}).content.decode()
    assert manager.get(reverse("keepers:people"), {"who": "x"}).status_code == 404
    assert manager.get(reverse("keepers:person", args=[bob.pk])).status_code == 200
    url = reverse("keepers:act", args=[bob.pk, "suspend"])
    assert manager.post(url, {"reason": ""}).status_code == 422
    assert manager.post(url, {"reason": "Sold the same kettle nine times."}).status_code == 303
    bob.refresh_from_db()
    assert not bob.is_active
    assert manager.post(reverse("keepers:act", args=[bob.pk, "lift"]), {"reason": ""}).status_code == 303
    bob.refresh_from_db()
    assert bob.is_active


def test_who_may_not(client: Client, bob: User, charlie: User, dana: User, ravi: User, enrol: Enrol) -> None:
    before = Event.objects.count()
    client.force_login(charlie)
    assert client.post(reverse("keepers:act", args=[bob.pk, "suspend"]), {"reason": "x"}).status_code in (302, 403)
    for person in (dana, ravi):
        enrol(person)
        client.force_login(person)
        url = reverse("keepers:act", args=[bob.pk, "role"])
        assert client.post(url, {"role": "community-manager"}).status_code == 403
        assert client.get(reverse("departments:add")).status_code == 302
    client.force_login(dana)
    assert client.get(reverse("keepers:people")).status_code == 403
    assert Event.objects.count() == before


def test_the_list_costs_the_same_however_many(
    manager: Client, django_assert_max_num_queries: Callable, support: Department
) -> None:
    for _ in range(12):
        factories.a_person(department=support)
    manager.get(reverse("keepers:people"))
    with django_assert_max_num_queries(20):
        manager.get(reverse("keepers:people"))


def test_a_department_that_can_not_be_closed_keeps_everything(manager: Client, mechanic: User) -> None:
    assert manager.post(reverse("departments:add"), data(mechanic)).status_code == 302
    only = Department.objects.get()
    edit = reverse("departments:edit", args=[only.pk])
    answer = manager.post(edit, data(mechanic, name="Workshop", closed="on"))
    only.refresh_from_db()
    assert answer.status_code == 200 and "It is the only department" in answer.content.decode()
    assert (only.name, only.archived_at) == ("Repairs", None)


def test_who_goes_leads_nothing(mechanic: User, support: Department) -> None:
    """Neither the department they left, nor any once they are no staff, nor where the tick is taken off."""
    repairs = factories.a_department("repairs")

    def leads() -> list[str]:
        return list(Department.objects.filter(lead=mechanic).values_list("slug", flat=True))

    set_role(mechanic, None, "agent", support, lead=True)
    assert leads() == ["support"]
    set_role(mechanic, None, "moderator", support)
    assert leads() == ["support"], "not asked, not changed"
    set_role(mechanic, None, "agent", support, lead=False)
    assert leads() == []
    set_role(mechanic, None, "agent", support, lead=True)
    set_role(mechanic, None, "agent", repairs)
    assert leads() == []
    set_role(mechanic, None, "agent", repairs, lead=True)
    set_role(mechanic, None, "")
    assert leads() == []
