"""Routes of the models pages."""

from django.urls import path, re_path

from labeling.specialists import views
from labeling.specialists.search import views as search

app_name = "specialists"
urlpatterns = [
    path("p/<slug:slug>/models", views.list_specialists, name="list"),
    re_path(r"^p/(?P<slug>[-\w]+)/models/add/(?P<source>hub|folder)$", views.add, name="add"),
    path("p/<slug:slug>/models/search", search.search, name="search"),
    re_path(
        r"^p/(?P<slug>[-\w]+)/models/search/(?P<search_id>\d{1,18})/(?P<verb>stop|retry)$",
        search.act,
        name="search-act",
    ),
    re_path(
        r"^p/(?P<slug>[-\w]+)/models/search/(?P<search_id>\d{1,18})/add/(?P<candidate_id>\d{1,18})$",
        search.add,
        name="search-add",
    ),
    path("p/<slug:slug>/models/<int:specialist_id>", views.detail, name="detail"),
    path("p/<slug:slug>/models/<int:specialist_id>/map", views.save_label_map, name="map"),
    re_path(
        r"^p/(?P<slug>[-\w]+)/models/(?P<specialist_id>\d+)/(?P<verb>confirm|try|fetch|remove)$", views.act, name="act"
    ),
]
