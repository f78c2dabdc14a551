"""The command line: a module for each verb, flags of a configuration, and what is printed."""
