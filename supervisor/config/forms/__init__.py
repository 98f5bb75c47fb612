"""How the value of a key becomes fields of the spec, and is shown again: `usual` by its kind, the others by hand.

What is made of a value and how it is shown stand side by side, so that what is shown always loads as the same stack.
"""
