"""``python -m bot`` is ``bartizan``."""

from bot.cli import main

main()
