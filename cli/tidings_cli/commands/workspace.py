"""`tidings workspace`: open a workspace of a deployed stack, and say how its people are told apart. For operators."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.stack import add_stack

KINDS = "user, anon, email, phone or ext"


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser("workspace", help="open and configure a workspace (operators)")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="open a workspace")
    create.add_argument("id", metavar="ID", help="1 to 40 lower-case letters, digits and hyphens")
    create.add_argument("--name", default="", metavar="NAME", help="as people call it")
    create.add_argument(
        "--from", dest="sender", default="", metavar="ADDRESS", help="sender of mails whose template names none"
    )
    create.add_argument(
        "--public-url",
        metavar="URL",
        help="where links in mails lead, such as https://mail.acme.example; else the address of the stack's API",
    )
    create.add_argument("--without-campaign", action="store_true", help="do not start it with the default campaign")
    begin = actions.add_parser("campaign", help="start a workspace with the default campaign, if it never had it")
    begin.add_argument("id", metavar="ID")
    configure = actions.add_parser("configure", help="change settings; what is not named stays as it is")
    configure.add_argument("id", metavar="ID")
    _add_settings(configure)
    show = actions.add_parser("show", help="show the settings")
    show.add_argument("id", metavar="ID")
    secret = actions.add_parser("webhook-secret", help="show by which secret webhooks are signed")
    secret.add_argument("id", metavar="ID")
    secret.add_argument("--renew", action="store_true", help="make another one; for a day both are valid")
    for action in (create, begin, configure, show, secret):
        add_stack(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Do one action. Raises CommandFailed."""
    from tidings_cli import accounts
    from tidings_cli.stack import open_stack

    if args.action == "create":
        return accounts.create_workspace(
            *(open_stack(args), args.id, args.name, args.sender, args.public_url),
            with_campaign=not args.without_campaign,
            as_json=args.json,
        )
    if args.action == "campaign":
        return accounts.begin_campaign(open_stack(args), args.id, args.json)
    if args.action == "show":
        return accounts.show_workspace(open_stack(args), args.id, args.json)
    if args.action == "webhook-secret":
        return accounts.webhook_secret(open_stack(args), args.id, args.renew, args.json)
    changes = accounts.changes_in(args)
    return accounts.configure_workspace(open_stack(args), args.id, changes, args.json)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="sender", metavar="ADDRESS", help="sender of mails whose template names none")
    parser.add_argument("--reply-to", metavar="ADDRESS", help="where replies go, unless a mail says otherwise")
    parser.add_argument(
        "--public-url", metavar="URL", help="where links in mails lead; without one, no marketing mail goes out"
    )
    parser.add_argument(
        "--default-country", metavar="CC", help="two letters: that of phone numbers without one, such as PL"
    )
    parser.add_argument(
        "--inbound-address", metavar="ADDRESS", help="where mail to the workspace comes in; empty for nowhere"
    )
    parser.add_argument(
        "--signed-replies",
        choices=("yes", "no"),
        help="whether answers to all mails come in at signed addresses, or only those within conversations",
    )
    parser.add_argument("--time-zone", metavar="ZONE", help="that of its agents' days, such as Europe/Warsaw")
    parser.add_argument(
        "--limit", action="append", default=[], type=_pair, metavar="KIND=N", help=f"values a contact keeps of {KINDS}"
    )
    parser.add_argument(
        "--priority", action="append", default=[], type=_pair, metavar="KIND=N", help="the lowest decides first"
    )
    parser.add_argument(
        "--block",
        action="append",
        default=[],
        type=_pair,
        metavar="KIND=PATTERN",
        help="values that match nobody; replaces the patterns of that kind, and KIND= takes them away",
    )
    parser.add_argument(
        "--hidden-link",
        choices=("yes", "no"),
        help="whether marketing mails have a link that only machines follow, by which they are told from people (yes)",
    )
    parser.add_argument(
        "--rate",
        action="append",
        default=[],
        type=_rate,
        metavar="NAME=N",
        help="limits at which marketing warns and stops, such as bounces_stop=0.05; replaces those that were set",
    )
    parser.add_argument(
        "--machine-range",
        action="append",
        metavar="CIDR",
        help="addresses from which machines open and click; replaces those that were set, and '' takes them away",
    )
    parser.add_argument(
        "--mirror-account-suppression",
        choices=("yes", "no"),
        help="whether whom SES suppresses for the account is suppressed here",
    )
    parser.add_argument(
        "--publishable-keys-may-change-addresses",
        choices=("yes", "no"),
        help="whether keys in browsers may change the e-mail and phone of known contacts (no)",
    )


def _rate(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise argparse.ArgumentTypeError("write it as NAME=N, such as complaints_warn=0.001") from None


def _pair(text: str) -> tuple[str, str]:
    kind, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"write it as KIND=…, where KIND is {KINDS}")
    return kind.strip(), value
