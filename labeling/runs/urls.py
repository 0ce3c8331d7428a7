"""Routes of the run pages."""

from django.urls import path, re_path

from labeling.runs import views

app_name = "runs"
VERBS = "pause|resume|cancel|retry|renew|ask|people"
urlpatterns = [
    path("p/<slug:slug>/runs", views.list_runs, name="list"),
    path("p/<slug:slug>/runs/new", views.new_run, name="new"),
    path("p/<slug:slug>/runs/<int:number>", views.detail, name="detail"),
    path("p/<slug:slug>/runs/<int:number>/cap", views.cap, name="cap"),
    re_path(rf"^p/(?P<slug>[-\w]+)/runs/(?P<number>\d+)/(?P<verb>{VERBS})$", views.act, name="act"),
]
