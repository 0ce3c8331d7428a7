"""Routes of the triage grid."""

from django.urls import path

from labeling.review.triage import views

app_name = "triage"
urlpatterns = [
    path("p/<slug:slug>/label/triage", views.grid, name="grid"),
    path("p/<slug:slug>/label/triage/confirm", views.confirm_grid, name="confirm"),
    path("p/<slug:slug>/label/triage/undo", views.undo_grid, name="undo"),
]
