import os
import sys
import time

print("ticks for", sys.argv[2], os.path.isdir(sys.argv[2]), flush=True)
time.sleep(1000)
