"""What is measured: classes, entities, captions, translations."""
