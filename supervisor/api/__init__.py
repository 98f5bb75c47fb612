"""The running stacks of this machine, for programs: typed, and without the command line."""
