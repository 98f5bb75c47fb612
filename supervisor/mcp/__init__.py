"""What a program of the Model Context Protocol, such as a coding agent, can do with the stack of a folder."""
