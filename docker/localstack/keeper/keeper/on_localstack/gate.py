"""Calls that arrive, and answers before they leave.

Every answer of S3 to a call that may have changed something waits until the change is kept. Calls from inside
(CloudFormation that makes a bucket, Step Functions that write a result) come through the same chain.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.chain import HandlerChain
from localstack.aws.protocol.serializer import create_serializer
from localstack.http import Response

from ..settling import Settler
from .storage import LiveS3

LOG = logging.getLogger(__name__)

# They change nothing that is kept: parts of unfinished uploads are given up by a restart.
_NOTHING_KEPT = {"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "AbortMultipartUpload"}


class Gate:
    """Closed until everything is back: outsiders get a 503 that SDKs try again, LocalStack's own calls go through."""

    def __init__(self, settler: Settler, live: LiveS3) -> None:
        self._settler = settler
        self._live = live
        self.is_open = False

    def admit(self, chain: HandlerChain, context: RequestContext, response: Response) -> None:
        if self.is_open or context.is_internal_call or context.request.path.startswith("/_localstack"):
            return
        # No body: SDKs would try to parse it.
        chain.respond(503, b"", {"Retry-After": "1", "X-Keeper": "bringing back what was kept"})

    def keep(self, chain: HandlerChain, context: RequestContext, response: Response) -> None:
        """Keep what a call to S3 has changed; an answer that would promise too much becomes an error.

        507: an SDK does not send the whole object again by itself, as it would after a 500 or 503.
        """
        settle = self._what_to_settle(context, response)
        if settle is None:
            return
        try:
            settle()
        except Exception as error:
            name = context.operation.name if context.operation else "?"
            LOG.critical("keeper: %s of %s WAS NOT KEPT: %s", name, context.request.path, error, exc_info=True)
            _answer_not_kept(context, response, error)

    def _what_to_settle(self, context: RequestContext, response: Response) -> Callable[[], None] | None:
        if not self.is_open:
            self._note_bucket(context)
            return None
        if not context.service or context.service.service_name != "s3" or response.status_code >= 400:
            return None
        operation, request = context.operation, context.service_request or {}
        if context.request.method in {"GET", "HEAD"} or operation is None or operation.name in _NOTHING_KEPT:
            return None
        if not (bucket := request.get("Bucket")):
            return None
        self._note_bucket(context)
        if operation.name == "DeleteObjects":
            keys = [item["Key"] for item in request["Delete"]["Objects"]]
        elif operation.name == "PostObject":
            keys = [_posted_key(context)]
        elif "Key" in request:
            keys = [request["Key"]]
        else:
            return lambda: self._settler.settle_bucket(bucket)
        return lambda: self._settler.settle_objects(bucket, keys)

    def _note_bucket(self, context: RequestContext) -> None:
        if context.operation and context.operation.name == "CreateBucket":
            names = self._live.buckets_of_stacks
            (names.add if context.is_internal_call else names.discard)((context.service_request or {})["Bucket"])


def _posted_key(context: RequestContext) -> str:
    key = context.request.form["key"]
    file = context.request.files.get("file")
    return key.replace("${filename}", file.filename or "") if file else key


def _answer_not_kept(context: RequestContext, response: Response, error: Exception) -> None:
    fault = CommonServiceException(
        "InsufficientStorage" if isinstance(error, OSError) else "InternalError",
        f"The change could not be kept and will be lost when LocalStack ends: {error}",
        status_code=507,
    )
    serializer = create_serializer(context.service, context.protocol)
    answer = serializer.serialize_error_to_response(
        fault, context.operation, context.request.headers, context.request_id
    )
    response.headers.clear()
    response.update_from(answer)
