from django.urls import path

from . import programme_views as programme
from . import views

app_name = "advocates"
urlpatterns = [
    path("", views.home, name="home"),
    path("leaderboard/", views.leaderboard, name="leaderboard"),
    path("leaderboard/<str:username>/", views.why_there, name="why"),
    path("how-points-work/", views.points, name="points"),
    path("code-of-conduct/", programme.code, name="code"),
    path("code-of-conduct/<int:version>/", programme.code, name="code_version"),
    path("code-of-conduct/accept/", programme.accept_code, name="accept_code"),
    path("apply/", programme.apply, name="apply"),
    path("apply/withdraw/", programme.withdraw, name="withdraw"),
    path("trial/", programme.trial, name="trial"),
    path("judging/", programme.judging, name="judging"),
    path("judging/<int:pk>/", programme.judge, name="judge"),
    path("queue/", programme.my_queue, name="queue"),
    path("queue/time/", programme.time_again, name="time_again"),
    path("queue/<int:pk>/take/", programme.take, name="take"),
    path("queue/<int:pk>/let-go/", programme.let_go, name="let_go"),
    path("queue/<int:pk>/pass/", programme.pass_on, name="pass"),
    path("mine/", programme.mine, name="mine"),
    path("mine/away/", programme.away, name="away"),
    path("mine/tie/", programme.tie, name="tie"),
    path("mine/leave/", programme.leave, name="leave"),
    path("letters/<str:token>/", programme.letter, name="letter"),
    path("letters/<str:token>/picture.png", programme.letter_picture, name="letter_picture"),
    path("thanks/<int:answer>/", programme.thanks, name="thanks"),
]
