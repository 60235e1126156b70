"""What a study leaves: a table for people, JSON, Parquet tables with their provenance."""
