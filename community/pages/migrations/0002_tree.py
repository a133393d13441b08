"""The pages that everything else hangs on, in place of Wagtail's welcome page, so that a new site has its doors."""

from django.db import migrations

# (app, model, slug, title) below the home page, in this order.
CHILDREN = (
    ("products", "CataloguePage", "products", "Products"),
    ("pages", "HelpIndexPage", "help", "Help"),
    ("pages", "ContentPage", "about", "About this community"),
)


def make_tree(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Page = apps.get_model("wagtailcore", "Page")
    Site = apps.get_model("wagtailcore", "Site")
    locale = apps.get_model("wagtailcore", "Locale").objects.order_by("pk").first()
    page_type = ContentType.objects.filter(app_label="wagtailcore", model="page").first()
    welcome = Page.objects.filter(depth=2, slug="home", content_type=page_type).first()
    sites = (
        list(Site.objects.filter(root_page=welcome).values("hostname", "port", "is_default_site")) if welcome else []
    )
    if welcome is None and Page.objects.filter(depth=2).exists():
        return  # somebody has pages already: they keep them
    if welcome is not None:
        Site.objects.filter(root_page=welcome).delete()
        welcome.delete()
    Page.objects.filter(depth=1).update(numchild=1)

    def make(model, app, name, path, depth, url_path, slug, title, numchild=0, **fields):
        content_type, _made = ContentType.objects.get_or_create(app_label=app, model=name.lower())
        return model.objects.create(
            title=title,
            draft_title=title,
            slug=slug,
            content_type=content_type,
            path=path,
            depth=depth,
            numchild=numchild,
            url_path=url_path,
            locale=locale,
            **fields,
        )

    home = make(
        apps.get_model("pages", "HomePage"), "pages", "HomePage", "00010001", 2, "/home/", "home", "Home", len(CHILDREN)
    )
    for place, (app, name, slug, title) in enumerate(CHILDREN, start=1):
        make(apps.get_model(app, name), app, name, f"00010001{place:04d}", 3, f"/home/{slug}/", slug, title)
    for site in sites or [{"hostname": "localhost", "port": 80, "is_default_site": True}]:
        Site.objects.create(root_page=home, site_name="", **site)


class Migration(migrations.Migration):
    dependencies = [
        ("pages", "0001_initial"),
        ("products", "0001_initial"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
    ]

    operations = [migrations.RunPython(make_tree, migrations.RunPython.noop)]
