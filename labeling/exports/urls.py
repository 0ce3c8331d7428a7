"""Routes of the export pages."""

from django.urls import path

from labeling.exports import views

app_name = "exports"
urlpatterns = [
    path("p/<slug:slug>/export", views.list_exports, name="list"),
    path("p/<slug:slug>/export/<int:number>", views.detail, name="detail"),
    path("p/<slug:slug>/export/<int:number>/retry", views.retry, name="retry"),
    path("p/<slug:slug>/export/<int:number>/file", views.download, name="download"),
    path("p/<slug:slug>/export/<int:number>/manifest.json", views.manifest, name="manifest"),
    path("p/<slug:slug>/runs/<int:number>/script.py", views.script, name="script"),
]
