"""Routes of the pages about scripts."""

from django.urls import path, re_path

from labeling.specialists.scripting import views

app_name = "scripts"
urlpatterns = [
    path("p/<slug:slug>/models/scripts", views.list_scripts, name="list"),
    path("p/<slug:slug>/models/scripts/<int:number>", views.detail, name="detail"),
    path("p/<slug:slug>/models/scripts/<int:number>/script.py", views.download, name="download"),
    re_path(
        r"^p/(?P<slug>[-\w]+)/models/scripts/(?P<number>\d{1,9})/(?P<verb>accept|retry|vote)$", views.act, name="act"
    ),
]
