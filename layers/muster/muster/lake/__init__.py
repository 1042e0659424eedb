"""The lake: rows and raw items in, Parquet out, by merge and conditional put."""
