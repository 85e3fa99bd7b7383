"""COSTS: what a runner costs a month, by dated list prices. No clock, no network."""
