from django.urls import path

from . import views

app_name = "advocates"
urlpatterns = [
    path("", views.home, name="home"),
    path("leaderboard/", views.leaderboard, name="leaderboard"),
    path("how-points-work/", views.points, name="points"),
]
