"""Running text: books, articles, notes; what comes next depends on all that came before."""
