"""Routes of the desk and of the queue's page."""

from django.urls import path, re_path

from labeling.review.desk import correction_views, queue_views, views

app_name = "desk"
urlpatterns = [
    path("p/<slug:slug>/adjudicate", views.screen, name="screen"),
    path("p/<slug:slug>/adjudicate/decide", views.decide, name="decide"),
    path("p/<slug:slug>/adjudicate/send-back", views.send_back, name="send-back"),
    path("p/<slug:slug>/adjudicate/undo", views.undo, name="undo"),
    path("p/<slug:slug>/adjudicate/correct/<int:item_id>", correction_views.correct_text, name="correct"),
    path("p/<slug:slug>/adjudicate/keep", views.keep_text, name="keep"),
    path("p/<slug:slug>/adjudicate/leave", views.leave_text, name="leave"),
    path("p/<slug:slug>/queue", queue_views.queue, name="queue"),
    re_path(r"^p/(?P<slug>[-\w]+)/queue/(?P<verb>return|give|clear)$", queue_views.act, name="act"),
    path("p/<slug:slug>/queue/free/<int:user_id>", queue_views.free, name="free"),
]
