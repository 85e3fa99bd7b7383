"""`runyard demo`: real jobs, run to their ends by a server of their own, and checked."""
