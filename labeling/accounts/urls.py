"""Routes about people."""

from django.urls import path

from labeling.accounts import views

app_name = "accounts"
urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", views.SignOut.as_view(), name="sign-out"),
    path("sign-in/<str:name>/<str:token>", views.signin_link, name="signin-link"),
    path("session", views.session, name="session"),
    path("account", views.account, name="account"),
]
