"""All routes: each app brings its own."""

from django.urls import include, path

urlpatterns = [
    path("", include("labeling.web.urls")),
    path("", include("labeling.accounts.urls")),
    path("", include("labeling.projects.urls")),
    path("", include("labeling.datasets.urls")),
    path("", include("labeling.specialists.urls")),
    path("", include("labeling.specialists.scripting.urls")),
    path("", include("labeling.llm.urls")),
    path("", include("labeling.runs.urls")),
    path("", include("labeling.review.urls")),
    path("", include("labeling.review.triage.urls")),
    path("", include("labeling.review.desk.urls")),
    path("", include("labeling.quality.urls")),
    path("", include("labeling.refinement.urls")),
    path("", include("labeling.refinement.cold_urls")),
    path("", include("labeling.exports.urls")),
    path("", include("labeling.overview.urls")),
]

handler400 = "labeling.web.views.bad_request"
handler403 = "labeling.web.views.permission_denied"
handler404 = "labeling.web.views.page_not_found"
handler500 = "labeling.web.views.server_error"
