"""What speaks to LocalStack 4.14.0, by its plugin namespaces and handler chains.

plugin      the hooks that LocalStack calls, and its S3 provider with our storage
storage     S3 as it is now: where content is while LocalStack works with it
gate        calls that arrive and answers that leave
stacks      hears of each stack that is made, changed or deleted
restore     brings everything back at start
"""
