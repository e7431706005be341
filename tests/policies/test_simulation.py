"""The evaluation itself, on policies of AWS's own documentation and on the corners that the template has."""

import pytest

from tests.policies.conditions import holds, matches, matches_arn
from tests.policies.resolving import NotUnderstood, Resolver
from tests.policies.simulation import Answer, Call, InForce, Principal, decide

BUCKET = "arn:aws:s3:::bucket"
ROLE = Principal("role", "arn:aws:iam::111122223333:role/worker")
LAMBDA, EC2 = Principal("service", "lambda.amazonaws.com"), Principal("service", "ec2.amazonaws.com")


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action, resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def call(action="s3:GetObject", resource=f"{BUCKET}/a/b.csv", principal=ROLE, **context):
    return Call(principal, action, resource, {key.replace("__", ":"): value for key, value in context.items()})


def test_call_that_no_statement_is_about_is_not_allowed():
    assert decide(call(), InForce([policy(allow("s3:PutObject"))])) is Answer.NOT_ALLOWED


def test_deny_of_any_policy_beats_allow():
    granted = policy(allow("s3:*"))
    own, bucket, door = (
        InForce([granted, policy(deny("s3:Get*", f"{BUCKET}/a/*"))]),
        InForce([granted], resource=policy(deny("s3:GetObject", f"{BUCKET}/*", Principal="*"))),
        InForce([granted], endpoint=policy(allow("s3:*", Principal="*"), deny("s3:GetObject", Principal="*"))),
    )

    assert [decide(call(), policies) for policies in (own, bucket, door)] == [Answer.DENIED] * 3


def test_actions_have_no_case_and_resources_have():
    policies = InForce([policy(allow("S3:getobject", f"{BUCKET}/a/*"))])

    assert decide(call(), policies) is Answer.ALLOWED
    assert decide(call(resource=f"{BUCKET}/A/b.csv"), policies) is Answer.NOT_ALLOWED


def test_policy_of_a_resource_alone_lets_in_whom_it_names():
    bucket = policy(allow("s3:GetObject", f"{BUCKET}/*", Principal={"Service": "lambda.amazonaws.com"}))

    assert decide(call(principal=LAMBDA), InForce(resource=bucket)) is Answer.ALLOWED
    assert (
        decide(call(principal=Principal("service", "ec2.amazonaws.com")), InForce(resource=bucket))
        is Answer.NOT_ALLOWED
    )
    assert decide(call(), InForce(resource=bucket)) is Answer.NOT_ALLOWED


def test_key_s_policy_has_to_leave_it_to_the_account_before_a_role_s_own_counts():
    verify = call("kms:VerifyMac", "arn:aws:kms:eu-west-1:111122223333:key/1")
    own = [policy(allow("kms:VerifyMac"))]
    account = policy(allow("kms:*", Principal={"AWS": "arn:aws:iam::111122223333:root"}))
    other = policy(allow("kms:*", Principal={"AWS": "arn:aws:iam::444455556666:root"}))

    assert decide(verify, InForce(own, resource=account, decides_alone=True)) is Answer.ALLOWED
    assert decide(verify, InForce([], resource=account, decides_alone=True)) is Answer.NOT_ALLOWED
    assert decide(verify, InForce(own, resource=other, decides_alone=True)) is Answer.NOT_ALLOWED
    assert decide(verify, InForce(own, decides_alone=True)) is Answer.NOT_ALLOWED


def test_trust_policy_of_the_account_wants_permission_and_one_of_the_role_does_not():
    taking = call("sts:AssumeRole", "arn:aws:iam::111122223333:role/other")
    trusted = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    account = policy({**trusted, "Principal": {"AWS": "arn:aws:iam::111122223333:root"}})
    itself = policy({**trusted, "Principal": {"AWS": ROLE.name}})

    assert decide(taking, InForce(resource=account, decides_alone=True)) is Answer.NOT_ALLOWED
    assert decide(taking, InForce([policy(allow("sts:*"))], resource=account, decides_alone=True)) is Answer.ALLOWED
    assert decide(taking, InForce(resource=itself, decides_alone=True)) is Answer.ALLOWED


def test_endpoint_lets_through_what_both_it_and_the_role_allow():
    own, door = [policy(allow("s3:*", f"{BUCKET}/*"))], policy(allow("s3:GetObject", f"{BUCKET}/a/*", Principal="*"))

    assert decide(call(), InForce(own, endpoint=door)) is Answer.ALLOWED
    assert decide(call("s3:PutObject"), InForce(own, endpoint=door)) is Answer.NOT_ALLOWED
    assert decide(call(), InForce([], endpoint=door)) is Answer.NOT_ALLOWED


@pytest.mark.parametrize(
    ("pattern", "arn", "fits"),
    [
        (f"{BUCKET}/*", f"{BUCKET}/a/b/c", True),
        (f"{BUCKET}/*/*.csv", f"{BUCKET}/a/b/c.csv", True),
        (f"{BUCKET}/*", BUCKET, False),
        (f"{BUCKET}/a?c", f"{BUCKET}/abc", True),
        (f"{BUCKET}/a?c", f"{BUCKET}/ac", False),
        (f"{BUCKET}/[ab]", f"{BUCKET}/a", False),
        ("arn:aws:states:*:execution:machine:x", "arn:aws:states:eu-west-1:1:execution:machine:x", False),
        ("arn:aws:states:*:*:execution:machine:*", "arn:aws:states:eu-west-1:1:execution:machine:a:b", True),
    ],
)
def test_pattern_of_an_arn(pattern, arn, fits):
    assert matches_arn(pattern, arn, {}) is fits


def test_variable_is_its_value_to_the_letter_and_without_one_nothing():
    mine = f"{BUCKET}/${{aws:PrincipalTag/sub}}/*"

    assert matches(mine, f"{BUCKET}/ada/x", {"aws:PrincipalTag/sub": "ada"})
    assert matches(mine, f"{BUCKET}/ada/x", {"AWS:principaltag/SUB": "ada"})
    assert not matches(mine, f"{BUCKET}/bob/x", {"aws:PrincipalTag/sub": "ada"})
    assert not matches(mine, f"{BUCKET}/bob/x", {"aws:PrincipalTag/sub": "*"})
    assert not matches(mine, f"{BUCKET}//x", {})


@pytest.mark.parametrize(
    ("condition", "context", "expected"),
    [
        ({"StringEquals": {"k": "a*"}}, {"k": "ab"}, False),
        ({"StringEquals": {"k": ["a", "b"]}}, {"k": "b"}, True),
        ({"StringEquals": {"k": "A"}}, {"k": "a"}, False),
        ({"StringLike": {"k": "a*"}}, {"k": "ab"}, True),
        ({"StringLike": {"k": "a*"}}, {}, False),
        ({"StringLikeIfExists": {"k": "a*"}}, {}, True),
        ({"StringLikeIfExists": {"k": "a*"}}, {"k": "b"}, False),
        ({"Bool": {"k": "false"}}, {"k": "false"}, True),
        ({"Bool": {"k": "false"}}, {}, False),
        ({"ArnEquals": {"k": "arn:aws:lambda:*:1:function:f"}}, {"k": "arn:aws:lambda:eu-west-1:1:function:f"}, True),
        ({"ArnLike": {"k": "arn:aws:lambda:*:1:function:f"}}, {"k": "arn:aws:lambda:eu-west-1:1:function:g"}, False),
        ({"ForAnyValue:StringLike": {"k": "a*"}}, {"k": ("b", "ab")}, True),
        ({"ForAnyValue:StringLike": {"k": "a*"}}, {"k": ("b",)}, False),
        ({"ForAnyValue:StringLike": {"k": "a*"}}, {}, False),
        ({"StringEquals": {"k": "a", "l": "b"}}, {"k": "a"}, False),
        ({"StringEquals": {"k": "a"}, "Bool": {"l": "true"}}, {"k": "a", "l": "true"}, True),
    ],
)
def test_condition(condition, context, expected):
    assert holds(condition, context) is expected


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:*", "NotResource": BUCKET},
        {"Effect": "allow", "Action": "s3:*", "Resource": "*"},
        allow("s3:*", Principal="*"),
        allow("s3:*", Condition={"NumericLessThan": {"s3:max-keys": "10"}}),
        allow("s3:*", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}}),
        allow("s3:*", Condition={"StringEquals": {"several": "a"}}),
        allow("s3:*", f"{BUCKET}/${{aws:username, 'nobody'}}/*"),
    ],
)
def test_policy_that_is_not_understood_raises(statement):
    with pytest.raises(NotUnderstood):
        decide(call(several=("a", "b")), InForce([policy(statement)]))


def test_policy_of_the_old_version_is_not_understood():
    with pytest.raises(NotUnderstood):
        decide(call(), InForce([{**policy(allow("s3:*")), "Version": "2008-10-17"}]))


def test_principal_of_another_kind_is_not_understood():
    bucket = policy(allow("s3:*", Principal={"CanonicalUser": "79a59df900b949e5"}))

    with pytest.raises(NotUnderstood):
        decide(call(), InForce(resource=bucket))


TEMPLATE = """
Parameters:
  Environment: { Type: String }
  Mode: { Type: String, Default: one }
Conditions:
  IsOne: !Equals [!Ref Mode, one]
  IsOther: !Not [!Condition IsOne]
Resources:
  Bucket: { Type: "AWS::S3::Bucket" }
  Function:
    Type: AWS::Lambda::Function
    Properties: { FunctionName: !Sub "portico-${Environment}-f" }
  Missing: { Type: "AWS::S3::Bucket", Condition: IsOther }
  Queue: { Type: "AWS::SQS::Queue" }
"""


FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:portico-test-f"


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Fn::GetAtt": ["Function", "Arn"]}, FUNCTION),
        ({"Fn::Sub": "${Function.Arn}/${!aws:userid}"}, f"{FUNCTION}/${{aws:userid}}"),
        ({"Fn::Sub": ["${x}-${Mode}", {"x": {"Ref": "AWS::Region"}}]}, "eu-west-1-one"),
        ({"Fn::If": ["IsOther", "a", {"Fn::Sub": "b-${Mode}"}]}, "b-one"),
        ([{"Fn::If": ["IsOther", "a", {"Ref": "AWS::NoValue"}]}, "c"], ["c"]),
    ],
)
def test_intrinsic_is_resolved(node, value):
    assert Resolver("test", text=TEMPLATE).value(node) == value


@pytest.mark.parametrize(
    "node",
    [
        {"Ref": "Missing"},
        {"Ref": "Nothing"},
        {"Ref": "Queue"},
        {"Fn::GetAtt": ["Bucket", "DomainName"]},
        {"Fn::Base64": "x"},
    ],
)
def test_intrinsic_that_is_not_understood_raises(node):
    with pytest.raises(NotUnderstood):
        Resolver("test", text=TEMPLATE).value(node)
