"""IAM on this machine: who a task is, and what whom may do, by Google's names and rules."""
