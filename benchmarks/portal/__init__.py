"""The portal with a long history behind it: its pages, its export, one prediction, and many people at once.

filling      rows as they might have come together in two years
pages        every page, filter and search of the history
export       a million rows as a file
predicting   one prediction, without the time in the function
crowd        fifty people on the stack of `make up`
postgresql   a server of our own, for the length of a run
measure      all of these, each in a process of its own, as one report
"""
