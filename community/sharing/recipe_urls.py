from django.urls import path

from . import views

app_name = "recipes"

urlpatterns = [
    path("", views.recipe_list, name="list"),
    path("new/", views.new_recipe, name="new"),
    path("<int:pk>/", views.recipe, name="short"),
    path("<int:pk>/edit/", views.edit_recipe, name="edit"),
    path("<int:pk>/made/", views.made, name="made"),
    path("<int:pk>/feature/", views.feature_recipe, name="feature"),
    path("<int:pk>/<str:slug>/", views.recipe, name="recipe"),
]
