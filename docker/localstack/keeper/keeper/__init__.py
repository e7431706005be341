"""Keeps what LocalStack would forget: S3 objects as they are written, CloudFormation stacks once they are made.

The modules here know files only and import nothing but the standard library. What speaks to LocalStack is in
`on_localstack`; it imports these, never the other way round.

    files       writing that survives a power cut; JSON with dates in it
    folder      one folder on a volume: its layout's version, its lock, its torn files
    objects     buckets and objects in that folder
    stacks      stacks in that folder
    bodies      an object's content while LocalStack works with it
    settling    brings what is kept of one key into line with what is there now
"""
