"""What becomes of every key of a services.yaml in each target.

A key has a row of its own; what a row says of a target is a fate, and for all but `kept` the reason or what is done
instead.  tests/export/test_table.py walks the table of keys of `config` and fails for a key without a row.
"""
