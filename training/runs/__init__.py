"""The run folder: its record, its files, its lock, and finding one."""
