"""File formats, splits, data sources, data sets, vocabulary, batches: everything between a file and a batch."""
