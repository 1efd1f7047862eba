"""Threads, hand-over and lifecycle, on QtCore alone.

Nothing here imports torch when it is loaded: the window imports this package, and must be on
screen before torch is. The work itself is imported inside the threads that do it.
"""
