"""Webhooks: is it who it should be, what does it say, and does it ask for a run. Pure.

proving.py  signatures, tokens and times of sending
reading.py  the content and the headers of a request, as triggers see them
taking.py   what becomes of a delivery that is believed
"""
