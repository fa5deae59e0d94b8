"""The database's revisions, shipped with the program: `bartizan migrate` applies them."""
