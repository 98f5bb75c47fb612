"""What people bring from other supervisors, and what to write for it; imported only where there is a mistake.

`table` has their keys by section, `advice` looks one up, `writing`, `programs`, `probes`, `sections` and `systemd`
make the hint of the value, `scalars` does so for a value under a key of ours, and `formats` knows a whole file of
another program.
"""
