import os
import sys
import time

print(*sys.argv[1:], os.path.isdir("../run"))
time.sleep(1000)
