"""Tag every token (many-to-many, equal lengths): named entities, parts of speech; in CoNLL columns or CoNLL-U."""
