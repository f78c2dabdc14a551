"""Continue a text, piece by piece (one-to-many): characters, parts of words, or words; and score one."""
