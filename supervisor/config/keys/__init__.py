"""The table of every key of a services.yaml: `stack.STACK`, and in it `service.SERVICE`.

All of this follows the one table: reading (`validate`), the spec (`build`), `config show` (`show`), what a reload has
to do (`difference`), suggestions (`dialects`), the JSON Schema (`schema`) and the tables of the reference
(`reference`).  So a new key takes an entry here, a field of `spec` with its default, and whoever uses that.

Defaults are written as a user would write them; an empty one means that there is none.  A `form` is for a key whose
kind does not tell how it becomes a field of the spec.
"""
