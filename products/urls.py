from django.urls import path

from . import views

app_name = "products"

# The catalogue and the products themselves are Wagtail's; these stand before it.
urlpatterns = [
    path("compare/", views.compare, name="compare"),
    path("<slug:slug>/shelf/", views.shelf, name="shelf"),
]
