from django.urls import path

from . import matches, views

app_name = "search"
urlpatterns = [
    path("", views.results, name="results"),
    path("matches/", matches.matches, name="matches"),
    path("similar/<int:pk>/", views.similar, name="similar"),
    path("matches/<int:pk>/solved/", matches.solved_it, name="solved_it"),
    path("matches/<int:pk>/settled/", matches.settled, name="settled"),
]
