"""Routes of the review screen."""

from django.urls import path

from labeling.review import policy_views, send_views, views
from labeling.review.preferences import views as preference_views

app_name = "review"
urlpatterns = [
    path("account/keys", preference_views.keys, name="keys"),
    path("account/auto-advance", preference_views.auto_advance, name="auto-advance"),
    path("p/<slug:slug>/settings/review", policy_views.save, name="policy"),
    path("p/<slug:slug>/label", views.screen, name="screen"),
    path("p/<slug:slug>/label/decide", views.decide_item, name="decide"),
    path("p/<slug:slug>/label/skip", views.skip_item, name="skip"),
    path("p/<slug:slug>/label/flag", views.flag_item, name="flag"),
    path("p/<slug:slug>/label/comment", views.comment_item, name="comment"),
    path("p/<slug:slug>/label/undo", views.undo_last, name="undo"),
    path("p/<slug:slug>/label/votes/<int:item_id>", views.show_votes, name="votes"),
    path("p/<slug:slug>/label/send", send_views.send_letter, name="send"),
    path("p/<slug:slug>/label/release", views.release_items, name="release"),
    path("p/<slug:slug>/label/free/<int:user_id>", views.free_items, name="free"),
]
