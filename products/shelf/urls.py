from django.urls import path

from . import views

app_name = "shelf"
urlpatterns = [
    path("", views.shelf, name="shelf"),
    path("add/", views.add, name="add"),
    path("code/", views.code, name="code"),
    path("of/<slug:slug>/", views.unit, name="unit"),
    path("of/<slug:slug>/remove/", views.remove, name="remove"),
]
