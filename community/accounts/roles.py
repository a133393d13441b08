"""The roles of DESIGN.md ("People"): groups with permissions. The migration `0002_roles` makes them once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Role:
    group: str
    permissions: tuple[str, ...]


ADMIN = ("wagtailadmin.access_admin",)
AGENT = (
    *ADMIN,
    "questions.answer_officially",
    "questions.view_privatedetails",
    "escalation.work_cases",
)
MODERATOR = (*ADMIN, "moderation.moderate")
EDITOR = (
    *ADMIN,
    *(
        f"products.{verb}_{model}"
        for model in ("product", "family", "version", "responsibility", "shop")
        for verb in ("add", "change", "view")
    ),
    *(f"wagtailimages.{verb}_image" for verb in ("add", "change", "choose")),
)
MANAGER = (
    *AGENT,
    *MODERATOR,
    *EDITOR,
    "escalation.manage_policies",
    "escalation.change_desksettings",
    "advocates.manage_advocates",
    "core.change_numbers",
    "core.change_brandsettings",
    "moderation.change_moderationrules",
    "accounts.view_user",
    "accounts.change_user",
    "accounts.add_department",
    "accounts.change_department",
    "accounts.view_department",
)

ROLES: dict[str, Role] = {
    "agent": Role("Agents", AGENT),
    "moderator": Role("Moderators", MODERATOR),
    "editor": Role("Editors", EDITOR),
    "community-manager": Role("Community managers", MANAGER),
}
