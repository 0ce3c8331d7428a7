"""Routes of the projects app."""

from django.urls import path

from labeling.projects import class_views, invitation_views, join_views, member_views, views

app_name = "projects"
urlpatterns = [
    path("projects/new", views.new, name="new"),
    path("p/<slug:slug>/settings", views.settings, name="settings"),
    path("p/<slug:slug>/settings/guideline", views.guideline, name="guideline"),
    path("p/<slug:slug>/settings/classes", class_views.add, name="add-class"),
    path("p/<slug:slug>/settings/classes/<int:class_id>", class_views.change, name="change-class"),
    path("p/<slug:slug>/members", member_views.members, name="members"),
    path("p/<slug:slug>/members/<int:member_id>", member_views.change, name="change-member"),
    path("p/<slug:slug>/members/invite", invitation_views.invite, name="invite"),
    path("p/<slug:slug>/members/invitations/<int:invitation_id>", invitation_views.revoke, name="revoke-invitation"),
    path("join/<str:token>", join_views.join, name="join"),
]
