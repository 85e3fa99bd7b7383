"""Regions that Cloud Run is known to have.

Source: Cloud Run's locations page and price list, read between April and October 2026. Google
adds regions a few times a year, so an unknown one is a warning, never a fault.
"""

from __future__ import annotations

DEFAULT_REGION = "us-central1"  #: Google's own examples use it, and it is in price tier 1

# fmt: off
REGIONS = frozenset({
    "africa-south1",
    "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3",
    "asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "asia-southeast3",
    "asia-southeast4",
    "australia-southeast1", "australia-southeast2",
    "europe-central2", "europe-north1", "europe-north2", "europe-southwest1",
    "europe-west1", "europe-west10", "europe-west12", "europe-west2", "europe-west3",
    "europe-west4", "europe-west6", "europe-west8", "europe-west9",
    "me-central1", "me-central2", "me-west1",
    "northamerica-northeast1", "northamerica-northeast2", "northamerica-south1",
    "southamerica-east1", "southamerica-west1",
    "us-central1", "us-east1", "us-east4", "us-east5", "us-east7", "us-south1",
    "us-west1", "us-west2", "us-west3", "us-west4", "us-west8",
})
# fmt: on
