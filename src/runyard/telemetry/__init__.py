"""EYES: what is measured: written beside the gate, never by the writer of lifecycles."""
