"""What keeps Google's libraries from the credentials of whoever runs the tests."""

#: No gcloud has logged in, and this is no machine of Google's (google.auth.environment_vars).
NO_GOOGLE = {"CLOUDSDK_CONFIG": "/nonexistent", "NO_GCE_CHECK": "true"}
