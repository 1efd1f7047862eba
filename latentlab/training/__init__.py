"""The fit loop and what it leaves behind: runs, metrics, checkpoints, previews. No Qt."""
