"""What watches over the stack, and what bounds it."""

import json

import pytest

from tests.deploy.reading import RESOURCES, of_type, properties

WATCHED = ["PredictFunction", "PredictSmallFunction"]
FUNCTIONS = [*WATCHED, "VerifyFunction"]
TOPIC = {"Ref": "AlarmTopic"}


def alarms_of(dimension, value):
    return {
        alarm["Properties"]["MetricName"]: alarm["Properties"]
        for alarm in of_type("AWS::CloudWatch::Alarm").values()
        if {"Name": dimension, "Value": value} in alarm["Properties"]["Dimensions"]
    }


@pytest.mark.parametrize("function", WATCHED)
def test_function_s_errors_throttles_and_slowness_are_said(function):
    alarms = alarms_of("FunctionName", {"Ref": function})

    assert set(alarms) == {"Errors", "Throttles", "Duration"}
    assert alarms["Duration"]["Statistic"] == "Maximum"
    assert alarms["Duration"]["Threshold"] == properties(function)["Timeout"] * 1000 * 0.8


def test_check_that_breaks_off_is_said_and_who_waits_for_it_sees_the_rest():
    assert set(alarms_of("FunctionName", {"Ref": "VerifyFunction"})) == {"Errors"}


def test_batches_that_fail_or_do_not_end_are_said():
    assert set(alarms_of("StateMachineArn", {"Ref": "BatchStateMachine"})) == {"ExecutionsFailed", "ExecutionsTimedOut"}


def test_faults_of_the_api_are_said():
    name = properties("Api")["Name"]

    assert set(alarms_of("ApiName", name)) == {"5XXError"}


def test_every_alarm_goes_to_the_topic_and_silence_is_none():
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        given = alarm["Properties"]

        assert given["AlarmActions"] == [TOPIC], name
        assert given["TreatMissingData"] == "notBreaching", name
        assert given["AlarmDescription"], name


def test_topic_takes_alarms_and_budgets_of_this_account_alone():
    topic = properties("AlarmTopicPolicy")["PolicyDocument"]["Statement"]

    assert [(item["Action"], item["Principal"], item["Condition"]) for item in topic] == [
        (
            "sns:Publish",
            {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
            {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        )
    ]


def test_alarms_are_as_many_as_cost_nothing():
    assert len(of_type("AWS::CloudWatch::Alarm")) == 10


def test_budget_says_what_was_spent_and_what_will_be():
    given = properties("Budget")

    assert given["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "MonthlyBudget"}, "Unit": "USD"}
    assert {item["Notification"]["NotificationType"] for item in given["NotificationsWithSubscribers"]} == {
        "ACTUAL",
        "FORECASTED",
    }
    assert all(
        item["Subscribers"] == [{"SubscriptionType": "SNS", "Address": TOPIC}]
        for item in given["NotificationsWithSubscribers"]
    )


def test_dashboard_is_json_and_names_every_function():
    text = properties("Dashboard")["DashboardBody"]["Fn::Sub"]

    assert len(json.loads(text)["widgets"]) == 5
    assert all(f"${{{function}}}" in text for function in FUNCTIONS)


def test_every_log_group_forgets():
    for name, group in of_type("AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_nothing_but_verify_waits_in_a_network():
    assert [name for name, resource in RESOURCES.items() if "VpcConfig" in resource.get("Properties", {})] == [
        "VerifyFunction"
    ]
