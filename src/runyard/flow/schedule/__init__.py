"""When a recurrence is due, in a time zone: instants, changes of clocks, and what UTC makes of it.

Zones are handed in, since reading their data is I/O. All instants are UTC; `local` means the
clock on a wall in the zone, as a datetime without a zone.
"""
