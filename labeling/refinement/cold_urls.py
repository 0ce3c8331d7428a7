"""Routes of the page on which a project trains its first specialists."""

from django.urls import path, re_path

from labeling.refinement.cold_start import views

app_name = "cold"
urlpatterns = [
    path("p/<slug:slug>/models/train", views.train, name="train"),
    re_path(r"^p/(?P<slug>[-\w]+)/models/train/(?P<verb>draw|withdraw|retry|stop|confirm)$", views.act, name="act"),
]
