"""Triggers: what asks for runs of a job, as the manifest declares it.

words.py     the texts that triggers have: instants, days, times of day, names
asking.py    what the runs are asked for with
schedule.py  a schedule and its policies
calendar.py  named days on which schedules do not run
webhook.py   a webhook; senders.py: who calls it, and by what they are believed
chain.py     runs of other jobs that ended; cycles.py: jobs that would come after themselves
absence.py   what has not happened for too long
pointing.py  places in what a trigger is told; filtering.py, mapping.py: what is made of them
spec.py      any trigger, and what triggers are called
"""
