"""The command line: configurations as flags, the commands, and what they print."""
