"""`python -m deploy doctor`: looks at everything that Portico needs, and says how to mend what is not well.

finding.py    what a check is, and what it finds; runs them in order
reports.py    which checks there are for each target, and which needs which
engine.py     Docker: the client, the engine, its socket, disk space, leftovers
images.py     whether the images are there, and made of today's sources
ports.py      who listens where Portico wants to
cloud.py      the emulator, the stack, its functions; bucket.py its bucket; answers.py its API and the portal
laptop.py     what only `make up` needs

Changes nothing: what a check makes, it removes. May import the rest of deploy, but for `cli`.
"""
