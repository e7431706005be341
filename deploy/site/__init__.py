"""The published page: a folder of files that a person's browser runs, without a server of its own.

page/    what it is made of, beside the portal's own CSS and modules
export   a stack's outputs and page/ → the folder
headers  what is said with each of its files
serving  the folder over HTTP, for `make up`
Source: docs/contract.md, section 9. May import: deploy's targets, outputs, plan, errors; nothing of the portal.
"""
