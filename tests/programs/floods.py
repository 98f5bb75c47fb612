"""Writes numbered lines to stdout as fast as it can; so many bytes if there is an argument, else forever."""

import os
import sys

left = int(sys.argv[1]) if len(sys.argv) > 1 else -1
number = 0
while left:
    block = b"".join(b"%015d\n" % each for each in range(number, number + 4096))
    if left > 0:
        block = block[:left]
        left -= len(block)
    number += 4096
    while block:
        block = block[os.write(1, block) :]
