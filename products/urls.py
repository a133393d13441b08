from django.urls import path

from . import views

app_name = "products"

# The catalogue is Wagtail's; a product is its page, found without a walk through the tree (docs/decisions/0031).
urlpatterns = [
    path("compare/", views.compare, name="compare"),
    path("<slug:slug>/", views.product, name="product"),
    path("<slug:slug>/shelf/", views.shelf, name="shelf"),
]
