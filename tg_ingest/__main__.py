"""`python -m tg_ingest` is `tg-ingest`."""

from tg_ingest.cli import main

if __name__ == "__main__":
    main()
