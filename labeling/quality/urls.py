"""Routes of the quality page."""

from django.urls import path, re_path

from labeling.quality import views

app_name = "quality"
HOME = r"^p/(?P<slug>[-\w]+)/quality"
urlpatterns = [
    path("p/<slug:slug>/quality", views.page, name="page"),
    path("p/<slug:slug>/quality/<int:number>/draw", views.draw, name="draw"),
    re_path(rf"{HOME}/(?P<number>\d+)/(?P<verb>measure|use-winner|withdraw)$", views.act, name="act"),
]
