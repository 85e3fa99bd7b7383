"""Imported before what is large: the collector of cycles rests until the server is there.

A server imports half a million objects that all stay. Looking through them again and again while
they come takes a sixth of the time to start; `serving.settle_memory` has it work again.
"""

from __future__ import annotations

import gc

gc.disable()
