"""Routes of connections to language models and of what they cost."""

from django.urls import path, re_path

from labeling.llm import cost_views, views

app_name = "llm"
HOME = r"^p/(?P<slug>[-\w]+)/connections/(?P<connection_id>\d+)"
urlpatterns = [
    path("p/<slug:slug>/connections", views.list_connections, name="connections"),
    path("p/<slug:slug>/connections/add", views.add, name="add"),
    path("p/<slug:slug>/connections/<int:connection_id>", views.detail, name="connection"),
    re_path(rf"{HOME}/(?P<verb>test|retire)$", views.act, name="act"),
    path("p/<slug:slug>/connections/<int:connection_id>/prices", views.add_price, name="add-price"),
    path("p/<slug:slug>/connections/<int:connection_id>/prices/<int:price_id>/drop", views.drop, name="drop-price"),
    path("p/<slug:slug>/costs", cost_views.costs, name="costs"),
    path("p/<slug:slug>/costs/cap", cost_views.cap, name="cap"),
    path("p/<slug:slug>/costs.csv", cost_views.ledger_csv, name="ledger-csv"),
]
