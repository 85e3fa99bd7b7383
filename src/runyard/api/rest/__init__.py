"""One file for each noun: translate in, ask the gate or the store, translate out."""
