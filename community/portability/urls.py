from django.urls import path

from . import views

app_name = "portability"
urlpatterns = [
    path("", views.data, name="data"),
    path("copy/", views.ask_for_copy, name="ask_for_copy"),
    path("copy/<int:pk>/", views.fetch_copy, name="fetch_copy"),
    path("leave/", views.leave, name="leave"),
    path("stay/", views.stay, name="stay"),
]
