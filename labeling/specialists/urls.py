"""Routes of the models pages."""

from django.urls import path, re_path

from labeling.specialists import views

app_name = "specialists"
urlpatterns = [
    path("p/<slug:slug>/models", views.list_specialists, name="list"),
    re_path(r"^p/(?P<slug>[-\w]+)/models/add/(?P<source>hub|folder)$", views.add, name="add"),
    path("p/<slug:slug>/models/<int:specialist_id>", views.detail, name="detail"),
    path("p/<slug:slug>/models/<int:specialist_id>/map", views.save_label_map, name="map"),
    re_path(
        r"^p/(?P<slug>[-\w]+)/models/(?P<specialist_id>\d+)/(?P<verb>confirm|try|fetch|remove)$", views.act, name="act"
    ),
]
