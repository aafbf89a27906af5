"""The only wing that imports telethon: one call per method, the history walk, parsing, the session pool."""
