"""Messages as data: rows, id ranges, parts on disk, validation, dedupe. Standard library, pandas and pyarrow only."""
