"""Routes of the refinement pages."""

from django.urls import path, re_path

from labeling.refinement import views

app_name = "refinement"
HOME = r"^p/(?P<slug>[-\w]+)/refinement"
urlpatterns = [
    path("p/<slug:slug>/refinement", views.list_rounds, name="list"),
    path("p/<slug:slug>/refinement/<int:number>", views.detail, name="detail"),
    path("p/<slug:slug>/refinement/start/<int:number>", views.start, name="start"),
    path("p/<slug:slug>/refinement/free-disk", views.free_disk, name="free-disk"),
    path("p/<slug:slug>/refinement/source-test/<int:specialist_id>", views.choose_source_test, name="source-test"),
    re_path(rf"{HOME}/(?P<number>\d+)/(?P<verb>retry|give-up|roll-back)$", views.act, name="act"),
    re_path(rf"{HOME}/challengers/(?P<challenger_id>\d+)/(?P<verb>promote|keep)$", views.decide, name="decide"),
]
