"""One module for each migration, with its SQL beside it."""
