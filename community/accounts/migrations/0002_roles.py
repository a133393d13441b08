"""The groups behind the roles of DESIGN.md. Made once: what a site changes later stays changed."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

from community.accounts.roles import ROLES

PAGE_PERMISSIONS = ("add_page", "change_page", "publish_page", "lock_page", "unlock_page")
COLLECTION_PERMISSIONS = (
    ("wagtailimages", "add_image"),
    ("wagtailimages", "change_image"),
    ("wagtailimages", "choose_image"),
    ("wagtaildocs", "add_document"),
    ("wagtaildocs", "change_document"),
    ("wagtaildocs", "choose_document"),
)
WITH_PAGES = ("editor", "community-manager")
LATER = ("moderation.change_moderationrules",)  # of tables that are made later: 0006 gives these


def make_groups(apps, schema_editor):
    for app_config in apps.get_app_configs():
        # Permissions are usually made after the last migration; these groups need them now.
        app_config.models_module = True
        create_permissions(app_config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        app_config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for role in ROLES.values():
        group, _made = Group.objects.get_or_create(name=role.group)
        # Wagtail's own migrations make "Editors" and "Moderators" with rights over pages: ours say who may do what.
        group.permissions.clear()
        apps.get_model("wagtailcore", "GroupPagePermission").objects.filter(group=group).delete()
        apps.get_model("wagtailcore", "GroupCollectionPermission").objects.filter(group=group).delete()
        for permission in set(role.permissions) - set(LATER):
            app, codename = permission.split(".")
            try:
                group.permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
            except Permission.DoesNotExist:
                raise LookupError(f"roles.py gives {role.group} a permission that no model has: {permission}") from None
    root = apps.get_model("wagtailcore", "Page").objects.get(depth=1)
    collection = apps.get_model("wagtailcore", "Collection").objects.get(depth=1)
    for name in WITH_PAGES:
        group = Group.objects.get(name=ROLES[name].group)
        for codename in PAGE_PERMISSIONS:
            permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=codename)
            apps.get_model("wagtailcore", "GroupPagePermission").objects.get_or_create(
                group=group, page=root, permission=permission
            )
        for app, codename in COLLECTION_PERMISSIONS:
            permission = Permission.objects.get(content_type__app_label=app, codename=codename)
            apps.get_model("wagtailcore", "GroupCollectionPermission").objects.get_or_create(
                group=group, collection=collection, permission=permission
            )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("advocates", "0001_initial"),
        ("core", "0001_initial"),
        ("escalation", "0001_initial"),
        ("moderation", "0001_initial"),
        ("products", "0001_initial"),
        ("questions", "0001_initial"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailcore", "0094_alter_page_locale"),
        ("wagtaildocs", "0014_alter_document_file_size"),
        ("wagtailimages", "0025_alter_image_file_alter_rendition_file"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
