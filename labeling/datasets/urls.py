"""Routes of the data pages."""

from django.urls import path, re_path

from labeling.datasets import upload_views, views

app_name = "datasets"
urlpatterns = [
    path("p/<slug:slug>/data", views.list_data, name="list"),
    path("p/<slug:slug>/data/<int:number>", views.detail, name="detail"),
    path("p/<slug:slug>/data/<int:number>/archive", views.archive, name="archive"),
    path("p/<slug:slug>/data/uploads/<int:upload_id>", upload_views.upload, name="upload"),
    re_path(
        r"^p/(?P<slug>[-\w]+)/data/uploads/(?P<upload_id>\d{1,18})/(?P<verb>stop|retry|discard)$",
        upload_views.act,
        name="act",
    ),
    path("p/<slug:slug>/data/uploads/<int:upload_id>/refused", upload_views.refused, name="refused"),
    path("p/<slug:slug>/data/uploads/<int:upload_id>/refused.csv", upload_views.refused_csv, name="refused-csv"),
]
