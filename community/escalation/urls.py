from django.urls import path

from .views import hooks

app_name = "hooks"
urlpatterns = [path("outcomes/<slug:slug>/", hooks.outcome, name="outcome")]
