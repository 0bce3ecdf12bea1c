"""``python -m dedup2d.cli``: the same as ``dedup2d``."""

from dedup2d.cli import main

main()
