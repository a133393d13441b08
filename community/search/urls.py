from django.urls import path

from . import views

app_name = "search"
urlpatterns = [
    path("", views.results, name="results"),
    path("matches/", views.matches, name="matches"),
    path("similar/<int:pk>/", views.similar, name="similar"),
    path("matches/<int:pk>/solved/", views.solved_it, name="solved_it"),
]
