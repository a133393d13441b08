from django.urls import path

from . import penalties, views

app_name = "posts"

urlpatterns = [
    path("moderation/", views.figures, name="figures"),
    path("settings/conduct/", penalties.conduct, name="conduct"),
    path("settings/conduct/<int:pk>/", penalties.appeal, name="appeal_penalty"),
    path("appeal/<str:token>/", penalties.appeal_suspension, name="appeal_suspension"),
    path("posts/preview/", views.preview, name="preview"),
    path("posts/upload/", views.upload, name="upload"),
    path("posts/draft/", views.draft, name="draft"),
    path("posts/<str:kind>/<int:pk>/comments/", views.comments, name="comments"),
    path("posts/<str:kind>/<int:pk>/comment/", views.comment, name="comment"),
    path("posts/comments/<int:pk>/", views.comment_place, name="comment_place"),
    path("posts/comments/<int:pk>/edit/", views.comment_edit, name="comment_edit"),
    path("posts/comments/<int:pk>/delete/", views.comment_delete, name="comment_delete"),
    path("posts/<str:kind>/<int:pk>/flag/", views.flag, name="flag"),
    path("posts/<str:kind>/<int:pk>/moderate/", views.moderate, name="moderate"),
    path("posts/<str:kind>/<int:pk>/why/", views.why, name="why"),
    path("posts/<str:kind>/<int:pk>/delete/", views.delete, name="delete"),
    # Where the pictures in members' posts lie; as visible as the post that shows them.
    path("media/uploads/<path:name>", views.picture, name="picture"),
]
