"""The Dagster layer: one file per Dagster concept, thin over the plain code of the other wings."""
