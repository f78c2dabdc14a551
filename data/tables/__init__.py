"""Tables of rows: .csv, .tsv and .jsonl, read and written."""
