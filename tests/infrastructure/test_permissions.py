"""Nobody may do more than is written down here."""

from collections.abc import Iterator

import pytest
from tests.support.template import Grant, Stack, grants, root_stack, statement_grants

# Where a wildcard stands, and why nothing narrower can be named. Whoever adds a line says so in a review.
ALLOWED_WILDCARDS = {
    ("ReactFunctionRole", "dynamodb:ListStreams", "*"): "the action takes no resource",
    ("MirrorSuppressionsFunctionRole", "ses:ListSuppressedDestinations", "*"): "the action takes no resource",
    ("SuppressionsFunctionRole", "ses:DeleteSuppressedDestination", "*"): "the action takes no resource",
    (
        "SubscriptionsFunctionRole",
        "ses:SendEmail",
        "arn:aws:ses:us-east-1:000000000000:identity/*",
    ): "which senders a workspace has is data; only verified ones send",
    **{
        (role, action, "arn:aws:states:us-east-1:000000000000:stateMachine:tidings_*"): (
            "machines are made when automations are published; only names with the stack's prefix"
        )
        for role, action in [
            ("ActFunctionRole", "states:StartExecution"),
            ("AutomationsFunctionRole", "states:CreateStateMachine"),
            ("AutomationsFunctionRole", "states:StartExecution"),
            ("AutomationsFunctionRole", "states:TagResource"),
            ("ReactFunctionRole", "states:StartExecution"),
            ("RunJobsFunctionRole", "states:CreateStateMachine"),
            ("RunJobsFunctionRole", "states:DeleteStateMachine"),
            ("RunJobsFunctionRole", "states:StartExecution"),
            ("RunJobsFunctionRole", "states:TagResource"),
            ("StartEnrolmentsFunctionRole", "states:StartExecution"),
            # A token names no machine; Step Functions looks whose it is before it asks whether that one is granted.
            ("ReactFunctionRole", "states:SendTaskSuccess"),
            ("WaitForFunctionRole", "states:SendTaskSuccess"),
        ]
    },
    **{
        (
            f"{function}FunctionRole",
            f"states:{action}",
            "arn:aws:states:us-east-1:000000000000:execution:tidings_*:*",
        ): "executions are named when they start; only those of machines with the stack's prefix"
        for action, functions in (
            ("DescribeExecution", ("Automations", "RunJobs")),
            ("StopExecution", ("Automations", "Erasures", "React", "RunJobs")),
        )
        for function in functions
    },
    **{
        ("NumbersFunctionRole", f"sms-voice:{action}", "arn:aws:sms-voice:us-east-1:000000000000:phone-number/*"): (
            "numbers are added while the system runs"
        )
        for action in ("DescribePhoneNumbers", "UpdatePhoneNumber")
    },
    **{
        ("SmsInboundFunctionRole", f"sms-voice:{action}", "arn:aws:sms-voice:us-east-1:000000000000:opt-out-list/*"): (
            "which list a number has is data"
        )
        for action in ("DeleteOptedOutNumber", "PutOptedOutNumber")
    },
    **{
        (
            f"{function}FunctionRole",
            "sms-voice:SendTextMessage",
            f"arn:aws:sms-voice:us-east-1:000000000000:{kind}/*",
        ): ("what a workspace sends texts from is data; the configuration set, needed as well, is named")
        for function, kinds in {
            "Conversations": ("phone-number", "pool"),  # a reply asks for answers, which no name receives
            "SendSms": ("phone-number", "pool", "sender-id"),
            "SmsInbound": ("phone-number",),  # an answer leaves from where the question went
        }.items()
        for kind in kinds
    },
    ("DeliverFunctionRole", "ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/*"): (
        "sending domains are added while the system runs; the configuration set, needed as well, is named"
    ),
    ("ConversationsFunctionRole", "ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/*"): (
        "sending domains are added while the system runs; the configuration set, needed as well, is named"
    ),
    ("SendEmailFunctionRole", "ses:SendEmail", "arn:aws:ses:us-east-1:000000000000:identity/*"): (
        "sending domains are added while the system runs; the configuration set, needed as well, is named"
    ),
    (
        "SenderIdsFunctionRole",
        "states:DescribeExecution",
        "arn:aws:states:us-east-1:000000000000:execution:tidings-sender-ids:*",
    ): "executions are named when they start; only those of the machine that requests wait in",
    **{
        (
            "ReviewSenderIdsFunctionRole",
            f"sms-voice:{action}",
            "arn:aws:sms-voice:us-east-1:000000000000:sender-id/*",
        ): "names are asked for while the system runs"
        for action in ("DescribeSenderIds", "ReleaseSenderId", "TagResource")
    },
    ("ReviewSenderIdsFunctionRole", "sms-voice:RequestSenderId", "*"): "the action takes no resource",
    (
        "ReviewSenderIdsFunctionRole",
        "sms-voice:DescribeRegistrations",
        "arn:aws:sms-voice:us-east-1:000000000000:registration/*",
    ): "registrations are opened by hand in AWS's console",
    **{
        (f"{function}FunctionRole", f"ses:{action}", "arn:aws:ses:us-east-1:000000000000:identity/*"): (
            "sending domains are added while the system runs; only identities of this account and region"
        )
        for function, action in [
            ("CheckSenders", "GetEmailIdentity"),
            ("Senders", "CreateEmailIdentity"),
            ("Senders", "DeleteEmailIdentity"),
            ("Senders", "GetEmailIdentity"),
            ("Senders", "PutEmailIdentityMailFromAttributes"),
        ]
    },
}

# SAM attaches it to every role that it makes: writing to logs, which cannot be had without.
ALLOWED_MANAGED_POLICIES = {"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


def role_grants(root: Stack) -> Iterator[tuple[str, Grant]]:
    """What every role of the whole system may do, as SAM expands the template."""
    for name in ("Data", "Messaging", "Machines", "Observability"):
        assert not root.nested(name).of_type("AWS::IAM::Policy")
        for logical in root.nested(name).of_type("AWS::IAM::Role"):
            assert "Policies" not in root.nested(name).properties(logical)
    for logical, entry in root.expanded.items():
        properties = entry.get("Properties", {})
        documents = [properties] if entry["Type"] in ("AWS::IAM::RolePolicy", "AWS::IAM::Policy") else []
        documents += properties.get("Policies", []) if entry["Type"] == "AWS::IAM::Role" else []
        for document in documents:
            for statement in root.resolve(document["PolicyDocument"])["Statement"]:
                yield from ((logical, grant) for grant in statement_grants(statement))


def resource_policy_grants(messaging: Stack, observability: Stack) -> Iterator[tuple[str, Grant]]:
    """What queues and topics let others do."""
    for stack in (messaging, observability):
        for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
            for logical in stack.of_type(kind):
                for statement in stack.properties(logical)["PolicyDocument"]["Statement"]:
                    yield from ((logical, grant) for grant in statement_grants(statement))


def test_wildcards_stand_only_where_nothing_narrower_can_be_named(
    root: Stack, messaging: Stack, observability: Stack
) -> None:
    everything = [*role_grants(root), *resource_policy_grants(messaging, observability)]
    wild = {
        (where, grant.action, grant.resource) for where, grant in everything if "*" in grant.action + grant.resource
    }
    assert wild == set(ALLOWED_WILDCARDS)


def test_roles_have_no_managed_policy_but_the_one_for_logs(root: Stack) -> None:
    managed = {
        arn
        for entry in root.expanded.values()
        if entry["Type"] == "AWS::IAM::Role"
        for arn in entry["Properties"].get("ManagedPolicyArns", [])
    }
    assert managed == ALLOWED_MANAGED_POLICIES


@pytest.mark.parametrize("function", root_stack().of_type("AWS::Serverless::Function"))
def test_a_function_s_policies_are_its_own_statements(root: Stack, function: str) -> None:
    policies = root.resources[function]["Properties"].get("Policies", [])
    assert [set(policy) for policy in policies] in ([{"Statement"}], [])  # one that calls nothing has none


def test_nothing_is_granted_twice() -> None:
    for function, granted in grants().items():
        assert len(granted) == len(set(granted)), function


def test_only_ses_of_this_account_publishes_feedback(messaging: Stack) -> None:
    [statement] = messaging.properties("FeedbackTopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "ses.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnEquals": {
            "aws:SourceArn": [
                f"arn:aws:ses:us-east-1:000000000000:configuration-set/{kind}Mails"
                for kind in ("Marketing", "Transactional")
            ],
        },
    }


def test_only_end_user_messaging_of_this_account_publishes_what_became_of_texts(messaging: Stack) -> None:
    [statement] = messaging.properties("SmsEventsTopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "sms-voice.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    configuration = messaging.properties("Texts")["ConfigurationSetName"]
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "000000000000"},
        "ArnEquals": {
            "aws:SourceArn": f"arn:aws:sms-voice:us-east-1:000000000000:configuration-set/{configuration}",
        },
    }


def test_only_its_topic_fills_the_queue_of_texts(messaging: Stack) -> None:
    admitted, over_tls = messaging.properties("SmsEventsQueuesPolicy")["PolicyDocument"]["Statement"]
    assert admitted["Principal"] == {"Service": "sns.amazonaws.com"}
    assert admitted["Condition"] == {"ArnEquals": {"aws:SourceArn": messaging.output("SmsEventsTopicArn")}}
    assert over_tls["Effect"] == "Deny"
    assert over_tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_no_policy_of_a_queue_or_topic_admits_everybody(messaging: Stack, observability: Stack) -> None:
    for stack in (messaging, observability):
        for kind in ("AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
            for logical in stack.of_type(kind):
                for statement in stack.properties(logical)["PolicyDocument"]["Statement"]:
                    if statement["Effect"] == "Allow":
                        assert set(statement["Principal"]) == {"Service"}
                        assert statement["Condition"]


def test_every_queue_refuses_what_comes_without_tls(messaging: Stack) -> None:
    refusing = [
        arn
        for logical in messaging.of_type("AWS::SQS::QueuePolicy")
        for statement in messaging.properties(logical)["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Action"] == "sqs:*"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for arn in statement["Resource"]
    ]
    queues = [messaging.resolve({"Fn::GetAtt": [logical, "Arn"]}) for logical in messaging.of_type("AWS::SQS::Queue")]
    assert sorted(refusing) == sorted(queues)


def test_machines_may_call_the_steps_and_nothing_else(root: Stack) -> None:
    policy = root.properties("MachinesMayCallSteps")
    assert policy["RoleName"] == "MachinesRole"
    granted = {grant for statement in policy["PolicyDocument"]["Statement"] for grant in statement_grants(statement)}
    steps = ("SendEmail", "SendSms", "WaitFor", "Branch", "CheckSuppression", "CallWebhook", "Act")
    assert granted == {
        Grant("lambda:InvokeFunction", f"arn:aws:lambda:us-east-1:000000000000:function:tidings-{step}")
        for step in steps
    }


def test_only_step_functions_of_this_account_take_the_machines_role(root: Stack) -> None:
    role = root.nested("Machines").properties("MachinesRole")
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "states.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "000000000000"}}


def test_the_machines_role_is_passed_to_step_functions_only(root: Stack) -> None:
    passing = [
        statement
        for function in root.of_type("AWS::Serverless::Function")
        for policy in root.properties(function).get("Policies", [])
        for statement in policy["Statement"]
        if statement["Action"] == "iam:PassRole"
    ]
    assert {statement["Resource"] for statement in passing} == {"arn:aws:iam::000000000000:role/MachinesRole"}
    only = {"StringEquals": {"iam:PassedToService": "states.amazonaws.com"}}
    assert [statement["Condition"] for statement in passing] == [only, only]
