"""Runs container-image Lambda functions in LocalStack's free edition (4.14.0).

plugin.py    what LocalStack loads: the executor's name, and the hooks at its start and end
executor.py  LocalStack's side: one execution environment, start, invoke, stop
sandbox.py   Docker's side: one container, from create to remove
answers.py   what the emulator in the container answered, in Lambda's words; pure
output.py    what the container prints; pure but for the thread that reads it
owner.py     whose containers these are: names, labels, sweeping
images.py    which image a version of a function runs
environments.py  a fault of LocalStack's with parallel calls, mended
"""
