"""What comes, as UTF-8 CSV: plain files pass through untouched, all others are made into it in one streaming pass.

`source` gives a file's bytes, `recognition` tells by them what it is, `packings` unpack, `encodings` decode,
`json_lines` and `tables` (Parquet and Excel, in a process of their own: `table_process`) make CSV of other formats.
May import predictor's errors, limits, coercion and bucket, and nothing of batch: the process of its own starts lightly.
"""

from predictor.reading.encodings import NotUtf8
from predictor.reading.recognition import Reading, read, recognise, sample_of, sniff
from predictor.reading.source import BytesSource, ObjectSource, Source

__all__ = ["BytesSource", "NotUtf8", "ObjectSource", "Reading", "Source", "read", "recognise", "sample_of", "sniff"]
