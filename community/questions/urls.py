from django.urls import path

from . import feeds
from .views import acts, ask, edit, ideas, listing, merge, people, split, still_working, suggest, thread

app_name = "questions"

# What is pressed has a third part in its address, so that no title can stand in its way: /questions/17/vote/ is a
# thread called "Vote".
urlpatterns = [
    path("questions/", listing.questions, name="list"),
    path("ideas/", ideas.ideas, name="ideas"),
    path("ideas/votes/", ideas.votes, name="idea_votes"),
    path("products/<slug:slug>/praise/", ideas.praise, name="praise"),
    path("questions/filters/keep/", listing.save_filter, name="save_filter"),
    path("questions/filters/<int:pk>/delete/", listing.delete_filter, name="delete_filter"),
    path("questions/ask/", ask.ask, name="ask"),
    path("questions/ask/picture/<int:pk>/", ask.kept_picture, name="kept_picture"),
    path("questions/ask/tags/", ask.suggest_tags, name="suggest_tags"),
    path("questions/still-working/<str:token>/", still_working.still_working, name="still_working"),
    path("questions/<int:pk>/", thread.short, name="short"),
    path("questions/<int:pk>/<str:slug>/", thread.thread, name="thread"),
    path("questions/thread/<int:pk>/answer/", acts.answer, name="answer"),
    path("questions/thread/<int:pk>/vote/", acts.vote, name="vote"),
    path("questions/thread/<int:pk>/me-too/", acts.me_too, name="me_too"),
    path("questions/thread/<int:pk>/follow/", acts.follow, name="follow"),
    path("questions/thread/<int:pk>/edit/", edit.edit, name="edit"),
    path("questions/thread/<int:pk>/history/", edit.history, name="history"),
    path("questions/thread/<int:pk>/steps/", acts.manage, name="manage"),
    path("questions/thread/<int:pk>/merge/", merge.merge, name="merge"),
    path("questions/thread/<int:pk>/split/", split.split, name="split"),
    path("questions/thread/<int:pk>/move-posts/", split.move_posts, name="move_posts"),
    path("questions/thread/<int:pk>/merged/", merge.merged, name="merged"),
    path("questions/thread/<int:pk>/suggest/", suggest.suggest, name="suggest"),
    path("questions/answer/<int:pk>/suggest/", suggest.suggest_answer, name="suggest_answer"),
    path("questions/edits/", suggest.suggestions, name="suggestions"),
    path("questions/edits/suggested/<int:pk>/", suggest.suggestion, name="suggestion"),
    path("questions/thread/<int:pk>/invite/", people.invite, name="invite"),
    path("questions/thread/<int:pk>/people/", people.people, name="people"),
    path("questions/thread/<int:pk>/private/", acts.private, name="private"),
    path("questions/answer/<int:pk>/vote/", acts.vote_answer, name="vote_answer"),
    path("questions/answer/<int:pk>/works/", acts.works, name="works"),
    path("questions/answer/<int:pk>/accept/", acts.accept, name="accept"),
    path("questions/answer/<int:pk>/unaccept/", acts.unaccept, name="unaccept"),
    path("questions/answer/<int:pk>/official/", acts.official, name="official"),
    path("questions/answer/<int:pk>/unofficial/", acts.unofficial, name="unofficial"),
    path("questions/answer/<int:pk>/no-longer-works/", acts.no_longer_works, name="no_longer_works"),
    path("questions/answer/<int:pk>/follow-up/", acts.follow_up, name="follow_up"),
    path("questions/answer/<int:pk>/edit/", edit.edit_answer, name="edit_answer"),
    path("questions/answer/<int:pk>/history/", edit.answer_history, name="answer_history"),
    path("feeds/questions/", feeds.Questions(), name="feed"),
    path("feeds/ideas/", feeds.Ideas(), name="feed_ideas"),
    path("feeds/questions/list/<slug:show>/", feeds.ListedQuestions(), name="feed_list"),
    path("feeds/questions/product/<slug:slug>/", feeds.ProductQuestions(), name="feed_product"),
    path("feeds/questions/tag/<str:slug>/", feeds.TagQuestions(), name="feed_tag"),
]
