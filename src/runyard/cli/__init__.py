"""FACE: the command line. One file per noun; talks HTTP, except for the offline verbs."""
