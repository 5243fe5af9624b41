"""Whatever fails is kept somewhere, and somebody is told."""

from datetime import timedelta

import pytest
from tests.support.template import Stack, root_stack

from tidings.automations.lifecycle.resuming import STARTING

ROOT = root_stack()
FUNCTIONS = list(ROOT.of_type("AWS::Serverless::Function"))
QUEUES = ROOT.nested("Messaging").of_type("AWS::SQS::Queue")
MAPPINGS = ROOT.of_type("AWS::Lambda::EventSourceMapping")

# Queues that no function reads: what lies there waits for a person.
PARKING = {name for name in QUEUES if name.endswith("DeadLetters")} | {"SetAsideQueue"}
LONGEST_RETENTION = 14 * 24 * 3600

every_function = pytest.mark.parametrize("function", FUNCTIONS)


def queue_of(arn: str) -> str:
    return arn.rpartition(":")[2]


def fed_by_queue() -> dict[str, str]:
    """The function that each queue feeds."""
    fed = {}
    for logical in MAPPINGS:
        mapping = ROOT.properties(logical)
        if ":sqs:" in mapping["EventSourceArn"]:
            fed[queue_of(mapping["EventSourceArn"])] = MAPPINGS[logical]["Properties"]["FunctionName"]["Ref"]
    return fed


def alarms(observability: Stack, metric: str) -> list[dict]:
    found = [observability.properties(logical) for logical in observability.of_type("AWS::CloudWatch::Alarm")]
    return [alarm for alarm in found if alarm["MetricName"] == metric]


def test_a_queue_feeds_a_function_or_is_for_people() -> None:
    assert set(QUEUES) == set(fed_by_queue()) | PARKING


@pytest.mark.parametrize("queue", fed_by_queue())
def test_a_queue_that_feeds_a_function_has_dead_letters(messaging: Stack, queue: str) -> None:
    redrive = messaging.properties(queue)["RedrivePolicy"]
    assert queue_of(redrive["deadLetterTargetArn"]) in PARKING
    assert redrive["maxReceiveCount"] >= 5


@pytest.mark.parametrize(("queue", "function"), fed_by_queue().items())
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_take(
    root: Stack, messaging: Stack, queue: str, function: str
) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    timeout = root.properties(function)["Timeout"]
    assert messaging.properties(queue)["VisibilityTimeout"] >= 6 * timeout


def test_nobody_is_lost_while_the_queue_of_starts_tries_and_whom_it_gave_up_on_is(messaging: Stack) -> None:
    starts = messaging.properties("StartsQueue")
    tries = starts["RedrivePolicy"]["maxReceiveCount"]
    assert timedelta(seconds=starts["VisibilityTimeout"]) * tries == STARTING


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_is_encrypted_and_keeps_what_waits_for_people_longest(messaging: Stack, queue: str) -> None:
    properties = messaging.properties(queue)
    assert properties["SqsManagedSseEnabled"] is True
    assert (properties["MessageRetentionPeriod"] == LONGEST_RETENTION) is (queue in PARKING)


@pytest.mark.parametrize("queue", sorted(PARKING))
def test_somebody_is_told_when_something_waits_for_people(observability: Stack, queue: str) -> None:
    [alarm] = [
        alarm
        for alarm in alarms(observability, "ApproximateNumberOfMessagesVisible")
        if alarm["Dimensions"] == [{"Name": "QueueName", "Value": queue}]
    ]
    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == ("AWS/SQS", "Maximum", 1)


@every_function
def test_a_function_logs_to_a_group_that_forgets(root: Stack, observability: Stack, function: str) -> None:
    group = root.resources[function]["Properties"]["LoggingConfig"]["LogGroup"]
    [stack, output] = group["Fn::GetAtt"]
    assert stack == "Observability"
    logical = observability.template["Outputs"][output.removeprefix("Outputs.")]["Value"]["Ref"]
    properties = observability.properties(logical)
    assert properties["RetentionInDays"] == root.parameters["LogRetentionDays"]
    assert properties["LogGroupName"] == f"/aws/lambda/{root.properties(function)['FunctionName']}"


@every_function
def test_somebody_is_told_when_a_function_fails(root: Stack, observability: Stack, function: str) -> None:
    name = root.properties(function)["FunctionName"]
    [alarm] = [
        alarm
        for alarm in alarms(observability, "Errors")
        if alarm["Dimensions"] == [{"Name": "FunctionName", "Value": name}]
    ]
    assert (alarm["Namespace"], alarm["Statistic"], alarm["Threshold"]) == ("AWS/Lambda", "Sum", 1)


def test_somebody_is_told_when_any_function_is_throttled(root: Stack, observability: Stack) -> None:
    [alarm] = alarms(observability, "Throttles")
    assert "Dimensions" not in alarm
    # One alarm is enough only as long as no function has a share of concurrency of its own.
    assert not any("ReservedConcurrentExecutions" in root.properties(function) for function in FUNCTIONS)


def test_somebody_is_told_when_react_falls_behind(root: Stack, observability: Stack) -> None:
    [alarm] = alarms(observability, "IteratorAge")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": root.properties("ReactFunction")["FunctionName"]}]


def test_somebody_is_told_when_step_functions_starts_or_goes_on_too_slowly(observability: Stack) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    told = alarms(observability, "ThrottledEvents")
    assert {alarm["Namespace"] for alarm in told} == {"AWS/States"}
    assert [alarm["Dimensions"] for alarm in told] == [
        [{"Name": "APIName", "Value": "StartExecution"}],
        [{"Name": "ServiceMetric", "Value": "StateTransition"}],
    ]


def test_somebody_is_told_of_messages_that_nobody_knows_the_fate_of(observability: Stack) -> None:
    [alarm] = alarms(observability, "UnknownMessages")
    assert alarm["Namespace"] == "Tidings"


def test_every_alarm_goes_to_the_topic_and_is_silent_without_data(observability: Stack) -> None:
    topic = observability.output("AlarmsTopic")
    for logical in observability.of_type("AWS::CloudWatch::Alarm"):
        properties = observability.properties(logical)
        assert properties["AlarmActions"] == [topic]
        assert properties["TreatMissingData"] == "notBreaching"


def test_an_address_is_subscribed_to_the_alarms_only_when_given(observability: Stack) -> None:
    entry = observability.resources["AlarmsByEmail"]
    assert entry["Condition"] == "SomebodyIsTold"
    assert observability.template["Conditions"]["SomebodyIsTold"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]
    }


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_one_bad_record_does_not_fail_its_batch(root: Stack, mapping: str) -> None:
    assert root.properties(mapping)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_react_reads_inserts_in_order_and_lets_go_of_what_kills_it(root: Stack) -> None:
    mapping = root.properties("ReactWakes")
    assert mapping["EventSourceArn"] == root.nested("Data").output("EventsStreamArn")
    assert mapping["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]}
    assert mapping["ParallelizationFactor"] == 1
    assert mapping["BatchSize"] == 25
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 100 <= mapping["MaximumRetryAttempts"] <= 1000
    assert queue_of(mapping["DestinationConfig"]["OnFailure"]["Destination"]) in PARKING


@every_function
def test_a_function_called_without_waiting_keeps_what_failed_or_runs_again_soon(root: Stack, function: str) -> None:
    properties = root.properties(function)
    kinds = {event["Type"] for event in properties.get("Events", {}).values()}
    if "EventBridgeRule" in kinds:
        assert queue_of(properties["DeadLetterQueue"]["TargetArn"]) in PARKING
        rules = [e["Properties"] for e in properties["Events"].values() if e["Type"] == "EventBridgeRule"]
        assert all(queue_of(rule["DeadLetterConfig"]["Arn"]) in PARKING for rule in rules)
    if "Schedule" in kinds:
        assert properties["EventInvokeConfig"]["MaximumRetryAttempts"] == 0


@pytest.mark.parametrize("subscription", ["FeedbackSubscription", "SmsEventsSubscription"])
def test_news_that_reaches_no_queue_is_kept(messaging: Stack, subscription: str) -> None:
    redrive = messaging.properties(subscription)["RedrivePolicy"]
    assert queue_of(redrive["deadLetterTargetArn"]) in PARKING


@pytest.mark.parametrize("kind", ["Marketing", "Transactional"])
def test_ses_tells_of_everything_that_moves_a_message(messaging: Stack, kind: str) -> None:
    destination = messaging.properties(f"{kind}Feedback")["EventDestination"]
    assert destination["Enabled"] is True
    assert set(destination["MatchingEventTypes"]) == {
        *("send", "reject", "bounce", "complaint", "delivery", "open", "click", "renderingFailure", "deliveryDelay"),
        "subscription",
    }


def test_end_user_messaging_tells_of_every_text_also_in_words_of_tomorrow(messaging: Stack) -> None:
    [destination] = messaging.properties("Texts")["EventDestinations"]
    assert destination["Enabled"] is True
    assert destination["MatchingEventTypes"] == ["TEXT_ALL", "RCS_ALL"]
    assert destination["SnsDestination"] == {"TopicArn": messaging.output("SmsEventsTopicArn")}
