"""What LocalStack remembers: docker/localstack/keeper in the real image, on a real volume."""

import hashlib
import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.containers.localstack import DOCKER, IMAGE, ROOT, docker, wait_until

pytestmark = pytest.mark.containers

KEPT = "/var/lib/keeper"
STACK = "shop"
API_ID = "shopapi"
ROLE = "arn:aws:iam::000000000000:role/probe"
GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
LOGS = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/shop"}}
NO_SUCH_CODE = {
    "Type": "AWS::Lambda::Function",
    "DependsOn": ["Api"],
    "Properties": {
        "FunctionName": "broken",
        "Role": ROLE,
        "Runtime": "python3.13",
        "Handler": "a.b",
        "Code": {"S3Bucket": "no-such-bucket", "S3Key": "code.zip"},
    },
}


def template(**more: Any) -> str:
    bucket = {
        "BucketName": "shop",
        "VersioningConfiguration": {"Status": "Enabled"},
        "CorsConfiguration": {"CorsRules": [{"AllowedOrigins": ["http://localhost"], "AllowedMethods": ["POST"]}]},
    }
    api = {"Name": {"Ref": "Word"}, "Tags": [{"Key": "_custom_id_", "Value": API_ID}]}
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket},
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": api},
        **more,
    }
    parameters = {"Word": {"Type": "String", "Default": "first"}}
    return json.dumps({"Parameters": parameters, "Resources": resources})


class Kept:
    """LocalStack with a volume that outlives its containers."""

    def __init__(self, *options: str) -> None:
        self.name = f"portico-test-{secrets.token_hex(3)}"
        self._options = options or ("-v", f"{self.name}:{KEPT}")

    def run(self) -> None:
        socket = "/var/run/docker.sock:/var/run/docker.sock"
        docker("run", "-d", "--name", self.name, "-p", "127.0.0.1::4566", "-v", socket, *self._options, IMAGE)

    def wait(self) -> None:
        health = ("inspect", "-f", "{{.State.Health.Status}}", self.name)
        wait_until(lambda: docker(*health) == "healthy", seconds=120)

    @property
    def endpoint(self) -> str:
        return f"http://{docker('port', self.name, '4566').splitlines()[0]}"

    def client(self, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=120, s3={"addressing_style": "path"})
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, endpoint_url=self.endpoint, region_name="us-east-1", config=config, **keys)

    def output(self) -> str:
        done = subprocess.run([DOCKER, "logs", self.name], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def change_stack(self, body: str, *, kind: str, word: str = "second", name: str = STACK) -> None:
        """By a change set, as `deploy up` does it."""
        cloudformation = self.client("cloudformation")
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=f"{kind.lower()}-{secrets.token_hex(3)}",
            ChangeSetType=kind,
            TemplateBody=body,
            Parameters=[{"ParameterKey": "Word", "ParameterValue": word}] if "Word" in body else [],
        )["Id"]
        described: Callable[[], Any] = lambda: cloudformation.describe_change_set(ChangeSetName=change_set)  # noqa: E731
        wait_until(lambda: described()["Status"] == "CREATE_COMPLETE")
        cloudformation.execute_change_set(ChangeSetName=change_set)
        wait_until(lambda: described()["ExecutionStatus"] in {"EXECUTE_COMPLETE", "EXECUTE_FAILED"}, seconds=60)

    def read_everything(self) -> dict[str, Any]:
        s3, apis = self.client("s3"), self.client("apigateway").get_rest_apis()["items"]
        buckets = [item["Name"] for item in s3.list_buckets()["Buckets"]]
        stacks = self.client("cloudformation").describe_stacks()["Stacks"]
        return {
            "objects": {bucket: _read_objects(s3, bucket) for bucket in buckets},
            "versioning": {bucket: s3.get_bucket_versioning(Bucket=bucket).get("Status") for bucket in buckets},
            "cors": {bucket: _read_cors(s3, bucket) for bucket in buckets},
            "stacks": {stack["StackName"]: stack.get("Parameters") for stack in stacks if stack["StackStatus"] in GOOD},
            "apis": [api["id"] for api in apis],
            "logs": [group["logGroupName"] for group in self.client("logs").describe_log_groups()["logGroups"]],
        }

    def remove(self) -> None:
        subprocess.run([DOCKER, "rm", "-fv", self.name], capture_output=True, timeout=60)
        subprocess.run([DOCKER, "volume", "rm", "-f", self.name], capture_output=True, timeout=60)


def _read_cors(s3: Any, bucket: str) -> Any:
    try:
        return s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    except ClientError as error:
        return error.response["Error"]["Code"]


def _read_objects(s3: Any, bucket: str) -> dict[str, Any]:
    found = {}
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        answer = s3.get_object(Bucket=bucket, Key=item["Key"], ChecksumMode="ENABLED")
        answer["Body"] = hashlib.sha256(answer["Body"].read()).hexdigest()
        answer["Tags"] = s3.get_object_tagging(Bucket=bucket, Key=item["Key"])["TagSet"]
        del answer["ResponseMetadata"]
        found[item["Key"]] = answer
    return found


@pytest.fixture(scope="module")
def localstack_image(docker_engine: None) -> str:
    docker("build", "-q", "-t", IMAGE, str(ROOT / "docker" / "localstack"))
    return IMAGE


@pytest.fixture
def start(localstack_image: str) -> Iterator[Callable[..., Kept]]:
    started: list[Kept] = []

    def start_one(*options: str) -> Kept:
        started.append(Kept(*options))
        started[-1].run()
        started[-1].wait()
        return started[-1]

    yield start_one
    for kept in started:
        kept.remove()


def put_everything(kept: Kept) -> None:
    """At least one object by each way that S3 has, and a stack that was updated."""
    kept.change_stack(template(), kind="CREATE", word="first")
    kept.change_stack(template(Logs=LOGS), kind="UPDATE", word="first")
    s3 = kept.client("s3")
    s3.create_bucket(Bucket="by-hand")
    said = {"ContentType": "text/x-odd", "CacheControl": "no-store", "Metadata": {"who": "me"}, "Tagging": "a=b"}
    for key in ("models/a/../ü/日本 %2F", "x" * 1024, "empty"):
        s3.put_object(Bucket="shop", Key=key, Body=key.encode() if key != "empty" else b"", **said)
    for body in (b"first", b"second"):
        s3.put_object(Bucket="shop", Key="overwritten", Body=body)
        s3.put_object(Bucket="by-hand", Key="overwritten", Body=body)
    s3.copy_object(Bucket="by-hand", Key="copied", CopySource={"Bucket": "shop", "Key": "overwritten"})
    s3.copy_object(
        Bucket="by-hand",
        Key="overwritten",
        CopySource={"Bucket": "by-hand", "Key": "overwritten"},
        Metadata={"only": "metadata"},
        MetadataDirective="REPLACE",
    )
    for bucket in ("shop", "by-hand"):
        for key in ("deleted", "deleted/2", "deleted/3"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        s3.delete_object(Bucket=bucket, Key="deleted")
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "deleted/2"}, {"Key": "deleted/3"}]})
    _post_form(s3)
    _upload_in_parts(s3)
    s3.create_bucket(Bucket="deleted-bucket")
    s3.delete_bucket(Bucket="deleted-bucket")


def _post_form(s3: Any) -> None:
    conditions = [["starts-with", "$key", "batches/"], {"Content-Type": "text/csv"}]
    form = s3.generate_presigned_post(
        "shop", "batches/${filename}", Fields={"Content-Type": "text/csv"}, Conditions=conditions
    )
    fields = {**form["fields"], "file": ("in.csv", b"a,b\n1,2\n")}
    assert urllib3.request("POST", form["url"], fields=fields).status == 204


def _upload_in_parts(s3: Any) -> None:
    of = {"Bucket": "shop", "Key": "batches/output.csv"}
    upload = s3.create_multipart_upload(**of, ContentType="text/csv")["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**of, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
        for number, body in ((1, b"1" * 5_300_000), (2, b"2" * 1000))
    ]
    s3.complete_multipart_upload(**of, UploadId=upload, MultipartUpload={"Parts": parts})


def restart(kept: Kept) -> None:
    docker("restart", kept.name)


def run_anew(kept: Kept) -> None:
    docker("rm", "-f", kept.name)
    kept.run()


def kill_and_start(kept: Kept) -> None:
    docker("kill", "-s", "KILL", kept.name)
    docker("start", kept.name)


@pytest.mark.parametrize("how", [restart, run_anew, kill_and_start])
def test_everything_is_there_again(start: Callable[..., Kept], how: Callable[[Kept], None]):
    kept = start()
    put_everything(kept)
    before = kept.read_everything()
    assert len(before["objects"]["shop"]) == 6
    assert (before["apis"], before["logs"]) == ([API_ID], ["/shop"])
    last = b"at the last moment" * 100_000
    kept.client("s3").put_object(Bucket="shop", Key="last", Body=last)

    how(kept)
    statuses = _knock_until_let_in(kept, "/shop/last")
    kept.wait()
    after = kept.read_everything()

    assert after["objects"]["shop"].pop("last")["Body"] == hashlib.sha256(last).hexdigest()
    assert after == before
    assert set(statuses) <= {0, 503, 200}
    assert "brought back 1 stacks, 2 buckets, 9 objects" in kept.output()


def _knock_until_let_in(kept: Kept, path: str) -> list[int]:
    """Every status that a client sees while LocalStack starts; 0 for no answer."""
    statuses: list[int] = []
    endpoint = kept.endpoint

    def knock() -> bool:
        try:
            statuses.append(urllib3.request("GET", endpoint + path, retries=False, timeout=30).status)
        except urllib3.exceptions.HTTPError:
            statuses.append(0)
        return statuses[-1] not in {0, 503}

    wait_until(knock, seconds=90)
    return statuses


def test_without_its_volume_it_is_empty(start: Callable[..., Kept]):
    kept = start()
    put_everything(kept)

    docker("rm", "-f", kept.name)
    docker("volume", "rm", kept.name)
    kept.run()
    kept.wait()

    assert not any(kept.read_everything().values())


def test_only_success_is_remembered_and_only_what_was_not_deleted(start: Callable[..., Kept]):
    kept, other = start(), json.dumps({"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}})
    kept.change_stack(template(), kind="CREATE")
    kept.client("s3").put_object(Bucket="shop", Key="k", Body=b"1")
    kept.change_stack(template(Broken=NO_SUCH_CODE), kind="UPDATE", word="failed")
    kept.change_stack(template(Broken=NO_SUCH_CODE).replace('"shop"', '"lost"'), kind="CREATE", name="never")
    kept.change_stack(other, kind="CREATE", name="deleted")
    cloudformation = kept.client("cloudformation")
    cloudformation.delete_stack(StackName="deleted")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="deleted", WaiterConfig={"Delay": 1})

    restart(kept)
    kept.wait()
    after = kept.read_everything()

    assert after["stacks"] == {STACK: [{"ParameterKey": "Word", "ParameterValue": "second"}]}
    assert after["apis"] == [API_ID]
    assert list(after["objects"]["shop"]) == ["k"]


def test_a_stack_whose_image_is_gone_does_not_keep_the_rest_from_coming_back(start: Callable[..., Kept]):
    kept, image = start(), f"portico-test-gone:{secrets.token_hex(3)}"
    function = {"FunctionName": "f", "PackageType": "Image", "Role": ROLE, "Code": {"ImageUri": image}}
    docker("tag", IMAGE, image)
    try:
        kept.change_stack(template(F={"Type": "AWS::Lambda::Function", "Properties": function}), kind="CREATE")
    finally:
        docker("rmi", image)
    kept.change_stack(json.dumps({"Resources": {"B": _bucket("other")}}), kind="CREATE", name="other")
    kept.client("s3").put_object(Bucket="shop", Key="k", Body=b"1")

    restart(kept)
    kept.wait()
    after = kept.read_everything()

    assert "other" in after["stacks"]
    assert list(after["objects"]["shop"]) == ["k"]


def test_a_stack_that_fails_at_start_can_be_made_again_around_its_objects(start: Callable[..., Kept]):
    kept = start()
    s3 = kept.client("s3")
    s3.create_bucket(Bucket="by-hand")
    policy = {"Version": "2012-10-17", "Statement": []}
    needs = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "by-hand", "PolicyDocument": policy}}
    kept.change_stack(template(Policy=needs), kind="CREATE")
    s3.put_object(Bucket="shop", Key="k", Body=b"1")
    s3.delete_bucket(Bucket="by-hand")

    restart(kept)
    kept.wait()
    without = kept.read_everything()
    kept.change_stack(template(), kind="CREATE")
    restart(kept)
    kept.wait()
    after = kept.read_everything()

    assert (without["stacks"], list(without["objects"]["shop"])) == ({}, ["k"])
    assert (list(after["stacks"]), list(after["objects"]["shop"])) == ([STACK], ["k"])
    assert without["objects"] == after["objects"]


def _bucket(name: str) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}


def test_a_full_volume_is_said_to_the_client_and_harms_nothing_kept(start: Callable[..., Kept]):
    kept = start("--mount", f"type=tmpfs,destination={KEPT},tmpfs-size={8 << 20}")
    s3 = kept.client("s3")
    s3.create_bucket(Bucket="by-hand")
    s3.put_object(Bucket="by-hand", Key="k", Body=b"before")

    with pytest.raises(ClientError, match="could not be kept.*No space left") as caught:
        s3.put_object(Bucket="by-hand", Key="k", Body=b"x" * (16 << 20))
    s3.put_object(Bucket="by-hand", Key="small", Body=b"after")

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 507
    assert "WAS NOT KEPT" in kept.output()
    kept_bodies = docker("exec", kept.name, "sh", "-c", f"tail -q -n +1 {KEPT}/buckets/by-hand/objects/*/*.body")
    assert kept_bodies in {"beforeafter", "afterbefore"}
    assert docker("exec", kept.name, "ls", f"{KEPT}/new") == ""


def test_a_second_localstack_on_the_volume_ends_and_says_why(start: Callable[..., Kept]):
    kept = start()

    second = subprocess.run(
        [DOCKER, "run", "--rm", "-v", f"{kept.name}:{KEPT}", IMAGE], capture_output=True, text=True, timeout=120
    )

    assert second.returncode == 1
    assert f"Another LocalStack is using {KEPT}" in second.stdout
