"""Says a word on stderr and exits at once with the code given as its argument."""

import os
import sys

os.write(2, b"giving up\n")
os._exit(int(sys.argv[1]))
