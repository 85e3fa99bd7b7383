"""Pub/Sub on this machine: topics, subscriptions, messages that are delivered at least once."""
