from django.urls import path

from . import views

app_name = "demo"
urlpatterns = [
    path("demo/mail/", views.mail_list, name="mail"),
    path("demo/mail/<slug:key>/", views.mail_read, name="mail_read"),
]
