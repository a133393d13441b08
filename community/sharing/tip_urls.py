from django.urls import path

from . import views

app_name = "tips"

urlpatterns = [
    path("", views.tip_list, name="list"),
    path("new/", views.new_tip, name="new"),
    path("<int:pk>/", views.tip, name="short"),
    path("<int:pk>/edit/", views.edit_tip, name="edit"),
    path("<int:pk>/worked/", views.worked, name="worked"),
    path("<int:pk>/feature/", views.feature_tip, name="feature"),
    path("<int:pk>/<str:slug>/", views.tip, name="tip"),
]
