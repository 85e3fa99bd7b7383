"""Events on their way, as Pub/Sub has them: topics, subscriptions, messages, filters."""
