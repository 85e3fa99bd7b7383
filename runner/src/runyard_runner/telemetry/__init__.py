"""EYES: what was done, how long did it take, who asked for it?"""
