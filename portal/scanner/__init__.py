"""Is an uploaded model file safe to open? A static check: nothing of the file is ever imported, called or unpickled.

The parent side is `run.scan_file`; everything else runs in a child process with hard limits and the standard library
only. Inside: run (parent) -> __main__ -> scan > findings | unpickler > containers | objects > reconstructors > arrays >
dtypes > standins > allowed > report | limits. Imports nothing else of portal.
"""
