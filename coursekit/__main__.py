import gc
import sys

from coursekit.cli import main

code = main()
gc.freeze()  # Python's end walks several times over what torch has imported; without it commands end half a second later
sys.exit(code)
