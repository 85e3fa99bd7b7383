"""THE DOOR: load, decide, commit. The only writer of lifecycles.

Whoever wants something to happen to a run says so here, and waits until it is durable. What waits
together is decided together: one batch, one transaction, a handful of statements. In a batch
everything that may free room is decided first, then who waited gets the room by rank, and only
then those who newly ask; so nobody overtakes who waits.

Decisions are pure (`runyard.flow`); their consequences - row, history, charge, slots, effects -
are written in the transaction of the decision or not at all.
"""
