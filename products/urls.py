from django.urls import path

from . import views

app_name = "products"

# The catalogue is Wagtail's; a product is its page, found without a walk through the tree (docs/decisions/0031).
urlpatterns = [
    path("compare/", views.compare, name="compare"),
    path("<slug:slug>/", views.product, name="product"),
    path("<slug:slug>/share.jpg", views.share, name="share"),
    path("<slug:slug>/leaflet.pdf", views.leaflet, name="leaflet"),
    path("<slug:slug>/shelf/", views.shelf, name="shelf"),
]
