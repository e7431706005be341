"""LocalEmu in a container with the stack's roles, and what it answers to the calls of the matrix.

Only whether a call is let through is asked: what it is about need not be there, since policies are looked at first.
"""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.containers.localstack import DOCKER, docker, wait_until
from tests.policies.matrix import Case
from tests.policies.resolving import REGION
from tests.policies.stack import make_stack

IMAGE = "portico-localemu"
FOLDER = Path(__file__).with_name("localemu")
# The one account that LocalEmu has at first.
ACCOUNT = "000000000000"

# IAM's prefix → boto3's client, where they differ; actions → operations likewise
_CLIENTS = {"states": "stepfunctions"}
_OPERATIONS = {
    "s3:AbortMultipartUpload": ("abort_multipart_upload", {"UploadId": "none"}),
    "s3:DeleteObjectVersion": ("delete_object", {"VersionId": "null"}),
    "s3:GetObjectVersion": ("get_object", {"VersionId": "null"}),
    "s3:ListBucket": ("list_objects_v2", {}),
    "s3:ListBucketMultipartUploads": ("list_multipart_uploads", {}),
    "s3:ListBucketVersions": ("list_object_versions", {}),
    "s3:ListMultipartUploadParts": ("list_parts", {"UploadId": "none"}),
    "s3:PutBucketCORS": ("put_bucket_cors", {"CORSConfiguration": {"CORSRules": []}}),
    "s3:PutBucketPolicy": ("put_bucket_policy", {"Policy": "{}"}),
    "s3:PutBucketPublicAccessBlock": ("put_public_access_block", {"PublicAccessBlockConfiguration": {}}),
    "s3:PutBucketVersioning": ("put_bucket_versioning", {"VersioningConfiguration": {}}),
    "s3:PutLifecycleConfiguration": ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": []}}),
    "kms:GenerateMac": ("generate_mac", {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}),
    "kms:VerifyMac": ("verify_mac", {"Message": b"x", "Mac": b"x" * 32, "MacAlgorithm": "HMAC_SHA_256"}),
    "lambda:AddPermission": ("add_permission", {"StatementId": "none"}),
    "lambda:InvokeFunction": ("invoke", {}),
    "lambda:RemovePermission": ("remove_permission", {"StatementId": "none"}),
    "logs:PutLogEvents": ("put_log_events", {"logEvents": []}),
    "sts:AssumeRole": ("assume_role", {"RoleSessionName": "matrix"}),
}
# What the emulator can be told about a call; of the rest it knows nothing.
_TOLD = {"aws:SecureTransport", "s3:prefix", "aws:PrincipalTag/sub"}
# No call is made by this name: it is looked at within others.
_NO_CALLS = {"PassRole"}
_TAKING = ["sts:AssumeRole", "sts:TagSession"]
_SERVICES = {"s3", "kms", "lambda", "states", "sts", "logs", "iam", "cloudformation", "ecr", "cognito-idp"}


_ROLES = make_stack().roles


def can_be_asked(case: Case) -> bool:
    """Whether a role of the stack makes a call that the emulator can be given in full."""
    service, _, action = case.action.partition(":")
    return case.who in _ROLES and service in _SERVICES and set(case.given) <= _TOLD and action not in _NO_CALLS


class EmulatedIam:
    """The roles of a stack where policies are enforced."""

    def __init__(self, port: str, *, root_key: str) -> None:
        self.stack = make_stack(account=ACCOUNT)
        self.bucket = self.stack.arn("bucket").rpartition(":")[2]
        self.tls = ssl.create_default_context()
        # The emulator's certificate is its own.
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self._port, self._root_key = port, {"key": root_key, "secret": "none"}
        self._clients: dict[tuple[str, ...], Any] = {}
        self._sessions: dict[tuple[str, str], dict[str, str]] = {}
        self._key_arn, self._tester = "", {"key": "", "secret": ""}

    def is_ready(self) -> bool:
        try:
            self._root("sts").get_caller_identity()
        except BotoCoreError:
            return False
        return True

    def deploy(self) -> None:
        """The bucket with its policy, the key with its own, the roles with theirs."""
        self._root("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._root("s3").put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(self.stack.policies["BucketPolicy"]))
        key = self._root("kms").create_key(
            KeySpec="HMAC_256",
            KeyUsage="GENERATE_VERIFY_MAC",
            Policy=json.dumps(self.stack.policies["ManifestKmsKey"]),
        )
        self._key_arn = key["KeyMetadata"]["Arn"]
        iam = self._root("iam")
        tester = iam.create_user(UserName="tester")["User"]["Arn"]
        made = iam.create_access_key(UserName="tester")["AccessKey"]
        self._tester = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}
        everything = [{"Effect": "Allow", "Action": _TAKING, "Resource": "*"}]
        iam.put_user_policy(UserName="tester", PolicyName="take", PolicyDocument=_document(everything))
        for role in self.stack.roles:
            self._create_role(role, tester)

    def answers(self, case: Case) -> bool:
        """Whether the call is let through."""
        service, action = case.action.split(":")
        operation, parameters = _OPERATIONS.get(case.action, (xform_name(action), {}))
        scheme = "http" if case.given.get("aws:SecureTransport") == "false" else "https"
        sub = str(case.given.get("aws:PrincipalTag/sub", ""))
        client = self.client(_CLIENTS.get(service, service), case.who, sub=sub, scheme=scheme)
        try:
            getattr(client, operation)(**parameters, **self._parameters(case))
        except ClientError as error:
            return not _is_refusal(error)
        return True

    def client(self, service: str, role: str, *, sub: str = "", scheme: str = "https") -> Any:
        """A client with keys of a session of the role. Args: sub: of whoever is signed in, as the session's tag"""
        if (role, sub) not in self._sessions:
            sts = self._client("sts", self._tester)
            tags = [{"Key": "sub", "Value": sub}] if sub else []
            taken = sts.assume_role(RoleArn=self.stack.arn(f"role {role}"), RoleSessionName="matrix", Tags=tags)
            keys = taken["Credentials"]
            self._sessions[role, sub] = {
                "key": keys["AccessKeyId"],
                "secret": keys["SecretAccessKey"],
                "token": keys["SessionToken"],
            }
        return self._client(service, self._sessions[role, sub], scheme)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _root(self, service: str) -> Any:
        return self._client(service, self._root_key)

    def _client(self, service: str, keys: Mapping[str, str], scheme: str = "https") -> Any:
        named = (service, scheme, keys["key"])
        if named not in self._clients:
            self._clients[named] = _make_client(service, f"{scheme}://127.0.0.1:{self._port}", **keys)
        return self._clients[named]

    def _create_role(self, role: str, tester: str) -> None:
        # So that the tests can take it: no service does here.
        taken = {"Effect": "Allow", "Principal": {"AWS": tester}, "Action": _TAKING}
        trust = [*self.stack.policies[f"{role} trust"]["Statement"], taken]
        iam, name = self._root("iam"), self.stack.arn(f"role {role}").rpartition("/")[2]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
        for policy in self.stack.own_policies(role):
            text = json.dumps(self.stack.policies[policy]).replace(self.stack.arn("key"), self._key_arn)
            iam.put_role_policy(RoleName=name, PolicyName=policy.partition("/")[2], PolicyDocument=text)

    def _parameters(self, case: Case) -> dict[str, Any]:
        """What the call is about."""
        kind, _, rest = case.on.partition(" ")
        arn = self._key_arn if case.on == "key" else self.stack.arn(case.on)
        name, prefix = arn.rpartition(":")[2], case.given.get("s3:prefix")
        group, _, stream = arn.partition(":log-group:")[2].partition(":log-stream:")
        return {
            "object": {"Bucket": self.bucket, "Key": rest},
            "bucket": {"Bucket": self.bucket, **({} if prefix is None else {"Prefix": prefix})},
            "function": {"FunctionName": name},
            "machine": {"stateMachineArn": arn},
            "execution": {"executionArn": arn},
            "key": {"KeyId": arn},
            "group": {"logGroupName": group},
            "log": {"logGroupName": group, "logStreamName": stream},
            "people": {"UserPoolId": name.rpartition("/")[2]},
            "repository": {"repositoryName": name.rpartition("/")[2]},
            "role": {"RoleArn": arn} if case.action.startswith("sts:") else {"RoleName": name.rpartition("/")[2]},
            "stack": {"StackName": arn},
            "*": {},
        }[kind]


@contextmanager
def running_emulator() -> Iterator[EmulatedIam]:
    name, root_key = f"portico-test-{secrets.token_hex(3)}", f"AKIA{secrets.token_hex(8).upper()}"
    docker("build", "--tag", IMAGE, str(FOLDER))
    try:
        docker("run", "-d", "--name", name, "-p", "127.0.0.1::4566", "-e", f"ROOT_ACCESS_KEYS={root_key}", IMAGE)
        port = docker("port", name, "4566").splitlines()[0].rpartition(":")[2]
        emulator = EmulatedIam(port, root_key=root_key)
        with closing(emulator):
            wait_until(emulator.is_ready, seconds=120)
            emulator.deploy()
            yield emulator
    finally:
        subprocess.run([DOCKER, "rm", "-fv", name], capture_output=True, timeout=60)


def _make_client(service: str, endpoint: str, *, key: str, secret: str, token: str | None = None) -> Any:
    # What is sent is not always all that a call wants: whether it may be made is asked before that.
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False, s3={"addressing_style": "path"})
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        verify=False,
        config=config,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def _is_refusal(error: ClientError) -> bool:
    said = str(error)
    assert "security token included in the request is invalid" not in said, said
    return "is not authorized to perform" in said or error.response["Error"]["Code"] in ("AccessDenied", "403")


def _document(statements: list[Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
