"""Tables of rows: .csv, .tsv, .jsonl, .json and .parquet, read; the first three written, too."""
