"""WHY IT FAILED: the class of a failed attempt from its evidence, as tables. Pure."""
