"""Configuration: from the text of a services.yaml to a frozen `StackSpec`, with every mistake found in one run.

The way of a file: `load` reads it, `parse` turns YAML into a tree with positions (`tree`), `interpolate` fills in
`${VAR}`, `validate` holds the tree against the table of keys (`keys`), `build` makes the types of `spec` out of it,
and `checks` looks at what services mean to each other.  Every step adds to one `report`, so that a run shows all
mistakes.  `values` reads durations, sizes, signals, ports and commands; `envfile` reads `.env`; `placeholders` knows
`{port}`; `secrets` knows what must not be shown; `suggest` finds what was meant.  The same table of keys gives the
JSON Schema (`schema`), and `show` writes a stack back as plain data.
Only `parse` and `dump` import yaml, only `load` reads files.
"""
