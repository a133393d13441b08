from django.urls import path

from . import views

app_name = "accounts"
urlpatterns = [
    path("", views.profile, name="profile"),
    path("picture/", views.picture, name="picture"),
    path("username/", views.username, name="username"),
    path("seen/", views.seen, name="seen"),
]
