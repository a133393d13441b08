from django.urls import path

from . import release_views as views

app_name = "changes"

urlpatterns = [
    path("", views.changes, name="all"),
    path("<slug:slug>/", views.changes, name="product"),
    path("<slug:slug>/<int:pk>/", views.note, name="note"),
    path("<slug:slug>/<int:pk>/helped/", views.say, name="helped"),
]
