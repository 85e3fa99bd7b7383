"""WORKSHOP: writes the generated part of docs/. A page is a pure function of what it describes."""
