"""Pages of lists: how many, and a token that says where the next one begins. Pure."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from runyard.localcloud.google.names import wrong
from runyard.localcloud.google.requests import Listing

PAGE_SIZE = 100  #: when none is asked for
PAGE_SIZE_MAX = 1000  #: more are asked for: so many come

Place = Sequence[Any]  #: where a page begins: plain values


def page_size(asked: Listing) -> int:
    """How many a page has. Raises InvalidSpec for fewer than none."""
    if asked.page_size < 0:
        raise wrong("pageSize", str(asked.page_size), "a whole number from 0 on")
    return min(asked.page_size or PAGE_SIZE, PAGE_SIZE_MAX)


def token(asked: Listing, place: Place) -> str:
    """The token of the page of the same list that begins at `place`."""
    return urlsafe_b64encode(orjson.dumps([asked.parent, asked.show_deleted, *place])).decode()


def place_of(asked: Listing, kinds: Sequence[type]) -> list[Any] | None:
    """Where the page that is asked for begins; None: at the first one.

    Raises InvalidSpec for a token that is none, or another list's.
    """
    if not asked.page_token:
        return None
    try:
        parent, deleted, *place = orjson.loads(urlsafe_b64decode(asked.page_token))
    except (binascii.Error, ValueError, TypeError):
        parent = deleted = place = None
    same = (parent, deleted) == (asked.parent, asked.show_deleted)
    if not same or place is None or [type(one) for one in place] != list(kinds):
        raise wrong("pageToken", asked.page_token[:60], "a nextPageToken of the same list")
    return list(place)
