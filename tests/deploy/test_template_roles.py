"""What each role may do, as it is written; tests/policies asks the same of simulations."""

import pytest

from tests.deploy.reading import RESOURCES, actions_of, keys_of, of_type, properties, statement, statements


@pytest.mark.parametrize("role", ["PredictRole", "PredictSmallRole"])
def test_function_may_check_signatures_and_not_make_them(role):
    _always, (condition, granted, otherwise) = (
        RESOURCES[role]["Properties"]["Policies"][0],
        RESOURCES[role]["Properties"]["Policies"][1]["Fn::If"],
    )

    assert (condition, otherwise) == ("HasKmsKey", {"Ref": "AWS::NoValue"})
    (statement,) = granted["PolicyDocument"]["Statement"]
    assert statement["Action"] == "kms:VerifyMac"
    assert statement["Resource"] == {"Fn::GetAtt": ["ManifestKmsKey", "Arn"]}


def test_small_predict_role_reads_tables_hands_over_and_writes_captures_and_its_log_and_nothing_else():
    allowed = statements("PredictSmallRole")

    assert [(item["Sid"], item["Effect"], item["Action"]) for item in allowed] == [
        ("ReadTables", "Allow", "s3:GetObject"),
        ("Capture", "Allow", "s3:PutObject"),
        ("HandOver", "Allow", "lambda:InvokeFunction"),
        ("WriteOwnLog", "Allow", ["logs:CreateLogStream", "logs:PutLogEvents"]),
    ]
    assert keys_of(allowed[0]) == {
        "models/*/live.json",
        "models/*/manifest.json",
        "models/*/compiled.json",
        "model/binary_sklearn_model.pkl",
    }
    assert allowed[1]["Resource"] == {"Fn::Sub": "${Bucket.Arn}/captures/*"}
    assert allowed[2]["Resource"] == {"Fn::GetAtt": ["PredictFunction", "Arn"]}
    assert allowed[3]["Resource"] == {"Fn::GetAtt": ["PredictSmallLogs", "Arn"]}


def test_verify_role_may_read_quarantine_and_write_its_log_and_nothing_else():
    allowed = statements("VerifyRole")

    assert [(item["Sid"], item["Effect"], item["Action"]) for item in allowed] == [
        ("ReadQuarantine", "Allow", "s3:GetObject"),
        ("WriteOwnLog", "Allow", ["logs:CreateLogStream", "logs:PutLogEvents"]),
    ]
    assert keys_of(allowed[0]) == {"quarantine/*"}
    assert allowed[1]["Resource"] == {"Fn::GetAtt": ["VerifyLogs", "Arn"]}


def test_predict_role_is_denied_everything_in_quarantine():
    denied = [item for item in statements("PredictRole") if item["Effect"] == "Deny"]

    assert any(keys_of(item) == {"quarantine/*"} and item["Action"] == "s3:*" for item in denied)


def test_predict_role_cannot_write_models_nor_what_pages_are_made_of():
    item = statement("PredictRole", "NeverWriteModels")

    assert (item["Effect"], item["Action"]) == ("Deny", "s3:PutObject")
    assert keys_of(item) == {"models/*", "model/*", "pages/*"}


def test_predict_role_cannot_read_captures_though_they_are_called_like_uploads():
    item = statement("PredictRole", "NeverReadCaptures")

    assert (item["Effect"], item["Action"], keys_of(item | {"Resource": [item["Resource"]]})) == (
        "Deny",
        "s3:GetObject",
        {"captures/*"},
    )


def test_predict_role_writes_batches_predictions_and_captures_only():
    writing = [
        item for item in statements("PredictRole") if item["Effect"] == "Allow" and "s3:PutObject" in item["Action"]
    ]

    assert [keys_of(item) for item in writing] == [{"batches/*", "*/*_predictions.csv"}, {"captures/*"}]


def test_predict_role_starts_the_one_machine_and_follows_the_api_s_own_executions():
    own = [item for item in statements("PredictRole") if "states:" in str(item["Action"])]
    arn = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
    machine = RESOURCES["BatchStateMachine"]["Properties"]["StateMachineName"]["Fn::Sub"]

    assert [(item["Effect"], item["Action"], item["Resource"]) for item in own] == [
        ("Allow", "states:StartExecution", {"Fn::Sub": f"{arn}:stateMachine:{machine}"}),
        (
            "Allow",
            ["states:DescribeExecution", "states:StopExecution"],
            {"Fn::Sub": f"{arn}:execution:{machine}:api-*"},
        ),
    ]


@pytest.mark.parametrize("name", ["Predict", "PredictSmall", "Verify", "Batch", "Portal", "Browser"])
def test_role_grants_no_wildcard_action_and_no_wildcard_resource(name):
    for item in statements(f"{name}Role"):
        if item["Effect"] == "Allow":
            assert not [action for action in actions_of(item) if "*" in action]
            assert item["Resource"] != "*"


def test_verify_function_itself_is_denied_what_lambda_needs_for_its_network():
    condition, granted, _otherwise = RESOURCES["VerifyRole"]["Properties"]["Policies"][1]["Fn::If"]
    allowed, denied = granted["PolicyDocument"]["Statement"]

    assert condition == "IsVerifyIsolated"
    assert all(action.startswith("ec2:") for action in allowed["Action"])
    assert (denied["Effect"], denied["Action"]) == ("Deny", "ec2:*")
    assert "portico-${Environment}-verify" in denied["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]["Fn::Sub"]


def test_predict_role_lists_the_parts_of_a_batch_and_no_other_names():
    item = statement("PredictRole", "ListFinishedParts")

    assert (item["Action"], item["Condition"]) == ("s3:ListBucket", {"StringLike": {"s3:prefix": "batches/*/parts/*"}})


def test_portal_role_reaches_quarantine_models_batches_pages_and_captures_and_never_the_drop_in_key():
    about_objects = [item for item in statements("PortalRole") if keys_of(item) - {""} and "s3:" in str(item["Action"])]

    assert {key for item in about_objects for key in keys_of(item)} == {
        "quarantine/*",
        "batches/*",
        "models/*",
        "models/*/pictures/*.png",
        "pages/*",
        "captures/*",
        "*/*_predictions.csv",
        "????????-????-????-????-????????????/*",
    }


def test_portal_role_deletes_of_models_only_pictures_and_of_folders_those_of_the_user_pool_s_people():
    deleting = [item for item in statements("PortalRole") if "s3:DeleteObject" in actions_of(item)]

    assert {key for item in deleting for key in keys_of(item)} == {
        "quarantine/*",
        "batches/*",
        "models/*/pictures/*.png",
        "????????-????-????-????-????????????/*",
    }


def test_portal_role_asks_the_three_functions_and_starts_the_one_machine():
    assert statement("PortalRole", "AskTheFunctions")["Resource"] == [
        {"Fn::GetAtt": [name, "Arn"]} for name in ("PredictFunction", "PredictSmallFunction", "VerifyFunction")
    ]
    assert statement("PortalRole", "StartBatches")["Resource"] == {"Ref": "BatchStateMachine"}
    assert statement("PortalRole", "FollowBatches")["Resource"]["Fn::Sub"].endswith("-batch:*")


def test_portal_role_stops_its_own_batches_and_not_the_api_s():
    item = statement("PortalRole", "StopBatches")

    assert item["Action"] == "states:StopExecution"
    assert item["Resource"]["Fn::Sub"].endswith("-batch:batch-*")


def test_portal_role_makes_signatures():
    condition, granted, _otherwise = properties("PortalRole")["Policies"][1]["Fn::If"]

    (item,) = granted["PolicyDocument"]["Statement"]
    assert (condition, item["Action"]) == ("HasKmsKey", "kms:GenerateMac")


def test_portal_role_has_the_one_right_of_cognito_to_ask_whether_somebody_is_still_there():
    condition, granted, _otherwise = properties("PortalRole")["Policies"][2]["Fn::If"]
    (item,) = granted["PolicyDocument"]["Statement"]

    assert (condition, item["Action"]) == ("HasSignIn", "cognito-idp:AdminGetUser")
    assert item["Resource"] == {"Fn::GetAtt": ["UserPool", "Arn"]}
    assert str(properties("PortalRole")["Policies"]).count("cognito-idp:") == 1


def test_portal_role_is_taken_by_whoever_is_named_or_by_the_account():
    (item,) = properties("PortalRole")["AssumeRolePolicyDocument"]["Statement"]

    assert item["Principal"]["AWS"] == {
        "Fn::If": [
            "HasPortalPrincipal",
            {"Ref": "PortalPrincipalArn"},
            {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
        ]
    }


def test_browser_role_reads_and_writes_files_that_can_be_scored_in_its_own_folder_and_reads_pages():
    item, pages = statements("BrowserRole")
    own, kinds = zip(*(key.split("/*", 1) for key in keys_of(item)), strict=True)

    assert (item["Effect"], item["Action"]) == ("Allow", ["s3:GetObject", "s3:PutObject"])
    assert set(own) == {"${!aws:PrincipalTag/sub}"}
    assert set(kinds) == {".csv", ".csv.gz", ".csv.zip", ".csv.zst", ".tsv", ".jsonl", ".parquet", ".xlsx"}
    assert (pages["Action"], pages["Resource"]) == ("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/pages/*"})


def test_predict_role_may_read_what_browsers_may_upload():
    uploaded = {key.replace("${!aws:PrincipalTag/sub}", "*") for key in keys_of(statements("BrowserRole")[0])}

    assert uploaded == keys_of(statement("PredictRole", "ReadUploadsOfTheOriginalTool"))


def test_browser_role_is_taken_by_the_signed_in_of_the_one_identity_pool():
    (item,) = properties("BrowserRole")["AssumeRolePolicyDocument"]["Statement"]

    assert item["Principal"] == {"Federated": "cognito-identity.amazonaws.com"}
    assert item["Condition"] == {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": {"Ref": "IdentityPool"}},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "authenticated"},
    }


# What `up` asks changed code, and where it notes the answer: deploy/golden.py.
GOLDEN_ROWS = {"lambda:InvokeFunction", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}


def test_ci_role_is_taken_by_the_one_repository_from_main_or_the_environment():
    (item,) = properties("CiRole")["AssumeRolePolicyDocument"]["Statement"]
    condition = item["Condition"]["StringEquals"]

    assert list(item["Condition"]) == ["StringEquals"]
    assert condition["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    assert condition["token.actions.githubusercontent.com:sub"] == [
        {"Fn::Sub": "repo:${GitHubRepository}:environment:${Environment}"},
        {"Fn::Sub": "repo:${GitHubRepository}:ref:refs/heads/main"},
    ]


def test_ci_role_changes_the_service_only_through_cloudformation():
    through = {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}
    direct = {
        action
        for policy in properties("CiRole")["Policies"]
        for item in policy["PolicyDocument"]["Statement"]
        for action in actions_of(item)
        if item.get("Condition") != through
    }

    assert {action for action in direct if not action.startswith(("ecr:", "cloudformation:"))} == {
        "lambda:GetFunctionConfiguration",
        "iam:PassRole",
        *GOLDEN_ROWS,
    }
    assert "cloudformation:DeleteStack" not in direct


def test_ci_role_touches_no_role_no_data_and_no_people():
    granted = {
        action
        for policy in properties("CiRole")["Policies"]
        for item in policy["PolicyDocument"]["Statement"]
        for action in actions_of(item)
    }

    assert {action for action in granted if action.startswith("s3:")} == {*GOLDEN_ROWS} - {"lambda:InvokeFunction"}
    assert not [action for action in granted if action.startswith(("kms:", "cognito", "sts:"))]
    assert [action for action in granted if action.startswith("iam:")] == ["iam:PassRole"]
    assert [action for action in granted if "*" in action] == ["lambda:Get*"]


def test_ci_role_hands_on_the_roles_of_what_runs_and_to_nothing_else():
    item = statement("CiRole", "HandRolesOn")

    assert item["Resource"] == [
        {"Fn::GetAtt": [name, "Arn"]} for name in ("PredictRole", "PredictSmallRole", "VerifyRole", "BatchRole")
    ]
    assert item["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    }


def test_ci_role_pushes_to_the_one_repository():
    assert statement("CiRole", "PushTheImage")["Resource"] == {"Fn::GetAtt": ["Repository", "Arn"]}
    assert statement("CiRole", "UpdateTheStack")["Resource"]["Fn::Sub"].endswith(":stack/${AWS::StackName}/*")


def test_roles_are_all_asked_about_here():
    asked = {"Predict", "PredictSmall", "Verify", "Batch", "Portal", "Browser", "Ci"}

    # The last writes the logs of API Gateway by a policy of AWS's own.
    assert set(of_type("AWS::IAM::Role")) == {f"{name}Role" for name in asked | {"Gateway"}}
