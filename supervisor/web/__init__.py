"""The page of a stack: a server on the loopback that looks at it by the library alone."""
