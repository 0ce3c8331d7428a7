"""Routes of the review screen."""

from django.urls import path

from labeling.review import views

app_name = "review"
urlpatterns = [
    path("p/<slug:slug>/label", views.screen, name="screen"),
    path("p/<slug:slug>/label/decide", views.decide_item, name="decide"),
    path("p/<slug:slug>/label/skip", views.skip_item, name="skip"),
    path("p/<slug:slug>/label/undo", views.undo_last, name="undo"),
    path("p/<slug:slug>/label/keep", views.keep_item, name="keep"),
    path("p/<slug:slug>/label/release", views.release_items, name="release"),
    path("p/<slug:slug>/label/<int:item_id>/reopen", views.reopen_item, name="reopen"),
    path("p/<slug:slug>/label/free/<int:user_id>", views.free_items, name="free"),
]
