"""Routes of the quality page."""

from django.urls import path, re_path

from labeling.quality import people_views, views

app_name = "quality"
HOME = r"^p/(?P<slug>[-\w]+)/quality"
urlpatterns = [
    path("p/<slug:slug>/quality", views.page, name="page"),
    path("p/<slug:slug>/quality/<int:number>/draw", views.draw, name="draw"),
    re_path(rf"{HOME}/(?P<number>\d+)/(?P<verb>measure|use-winner|withdraw)$", views.act, name="act"),
    path("p/<slug:slug>/people", people_views.people, name="people"),
    path("p/<slug:slug>/people/agreement.csv", people_views.agreement, name="agreement-csv"),
    path("p/<slug:slug>/people/me", people_views.own_work, name="own-work"),
    path("p/<slug:slug>/people/<int:user_id>", people_views.person, name="person"),
]
