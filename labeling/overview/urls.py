"""Routes of the overview pages."""

from django.urls import path

from labeling.overview import health_views, views
from labeling.overview.forecast import views as forecast_views
from labeling.overview.pilots import views as pilot_views
from labeling.overview.samples import views as sample_views

app_name = "overview"
urlpatterns = [
    path("", views.home, name="home"),
    path("p/<slug:slug>/", views.project, name="project"),
    path("p/<slug:slug>/samples", sample_views.samples, name="samples"),
    path("p/<slug:slug>/samples/return", sample_views.send_back, name="return"),
    path("p/<slug:slug>/samples/<int:sample_id>", sample_views.sample, name="sample"),
    path("p/<slug:slug>/runs/forecast", forecast_views.forecast, name="forecast"),
    path("p/<slug:slug>/runs/pilots", pilot_views.pilots, name="pilots"),
    path("p/<slug:slug>/runs/pilots/<int:pilot_id>/<slug:verb>", pilot_views.act, name="pilot-act"),
    path("doctor", health_views.doctor, name="doctor"),
    path("banner", health_views.banner, name="banner"),
    path("health/live", health_views.live, name="live"),
    path("health/ready", health_views.ready, name="ready"),
]
