from django.urls import path

from . import views

app_name = "reviews"

urlpatterns = [
    path("", views.review_list, name="list"),
    path("google.xml", views.google, name="google"),
    path("hints/", views.hint_list, name="hints"),
    path("hints/<int:pk>/settle/", views.settle_hint, name="settle_hint"),
    path("policy/", views.policy, name="policy"),
    path("figures/", views.figures, name="figures"),
    path("write/<slug:slug>/", views.write, name="write"),
    path("asked/<str:token>/", views.asked, name="asked"),
    path("asked/<str:token>/opened/", views.opened, name="opened"),
    path("<int:pk>/", views.review, name="review"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/chapter/", views.chapter, name="chapter"),
    path("<int:pk>/helpful/", views.helpful, name="helpful"),
    path("<int:pk>/respond/", views.respond, name="respond"),
    path("<int:pk>/publish/", views.publish, name="publish"),
    path("<int:pk>/refuse/", views.refuse, name="refuse"),
    path("<int:pk>/appeal/", views.appeal, name="appeal"),
    path("<int:pk>/history/", views.history, name="history"),
    path("<int:pk>/history/<int:response>/", views.response_history, name="response_history"),
    path("<int:pk>/resubmit/", views.resubmit, name="resubmit"),
]
