"""A small handbook of an invented company, Pellwick: what the bot knows before it is given pages of its own."""
