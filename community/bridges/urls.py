from django.urls import path

from . import views

app_name = "bridges"

urlpatterns = [
    path("<int:pk>/thread/", views.start, name="start"),
    path("<int:pk>/thread/agree/", views.agree, name="agree"),
    path("<int:pk>/thread/decline/", views.decline, name="decline"),
    path("<int:pk>/thread/outcome/", views.outcome, name="outcome"),
    path("<int:pk>/thread/propose/", views.propose, name="propose"),
    path("<int:pk>/thread/offer/", views.offer, name="offer"),
]
