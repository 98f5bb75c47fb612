"""What is in a services.yaml, as files of other programs: systemd, quadlet, compose, Kubernetes.  Pure.

`model` has the words: a `Target`, the `Wishes` of the user, the `Export` that comes out.  `veil` puts names in the
place of secrets before anything else reads the spec, so that no writer can spell one out.  `systemd` and `compose` run
the program itself; `quadlet` and `kubernetes` run `portsup up SERVICE` in a container, with the services.yaml of
`alone`.  `table` has the fate of every key in each target; `losses` finds what of it a stack meets, and `reference`
writes it into the documents.
"""
