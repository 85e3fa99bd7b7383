"""The channels that a manifest declares, over the network."""
