"""The table of every key of a services.yaml: `STACK`, and in it `SERVICE`.

Reading, suggestions, the JSON Schema and a test of docs/reference/services-yaml.md all follow this one table.
Defaults are written as a user would write them; an empty one means that there is none.
"""
