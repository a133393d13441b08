from django.urls import path

from . import views

app_name = "people"
urlpatterns = [
    path("<str:username>/", views.person, name="person"),
    path("<str:username>/points/", views.points, name="points"),
    path("<str:username>/report/", views.report, name="report"),
    path("<str:username>/reports/", views.reports, name="reports"),
]
