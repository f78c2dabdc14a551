"""The run folder: its files, its lock, and finding one."""
