"""HANDS: what launches, stops and looks at attempts, somewhere."""
