"""The provider over Google Cloud Run, by Google's own client library (the extra `google`)."""
