"""Routes of the specialists app."""

from django.urls import URLPattern

app_name = "specialists"
urlpatterns: list[URLPattern] = []
