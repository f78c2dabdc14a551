"""What `--data` means: a path, a sample, a public set; and its splits."""
