"""Routes of the shared kit."""

from django.urls import path

from labeling.web import views

app_name = "web"

urlpatterns = [
    path("csp-report", views.csp_report, name="csp-report"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("doctor/components", views.components, name="components"),
]
