"""Cloud Run jobs on this machine: Google's nouns, states and words, with processes below."""
