"""The inference container: one scikit-learn model in, answers out.

`handler` takes an event, `events` turns it into a Request, `operations`, `api_calls`, `verification` and `batch` do the
work, `model_store` brings the model, `engines` make it answer, `bucket` is the only module that speaks to S3.
`captures` keeps what the API answered, and `after_answers` has it written.
Imports nothing of portal, model or deploy: the bond is the JSON of docs/contract.md.
"""
