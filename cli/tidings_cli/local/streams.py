"""What the engine forgets of DynamoDB streams when it stops, kept for it.

The engine saves how far each function has read in a stream, but not the stream. So after a start it would skip as many
new records as it had read before, and never deliver what was unread. Here the unread records are set aside when it
stops, the reading marks go back to the beginning of what is then an empty stream, and at the next start the functions
get the records that they have not seen. A function may see a record twice, as in AWS.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from tidings_cli.local.folder import read_json, write_private

Records = list[dict[str, Any]]

# What is delivered again if it cannot be told what was unread: the engine drops a stream's records after 24 hours, and
# counts from then on from a place that nobody sees.
TAIL = 100


def read_streams() -> dict[str, Records]:
    """Everything in the streams that functions read, by the id of the mapping, oldest first."""
    mappings = boto3.client("lambda").get_paginator("list_event_source_mappings").paginate()
    return {
        mapping["UUID"]: list(_records(mapping["EventSourceArn"]))
        for page in mappings
        for mapping in page["EventSourceMappings"]
        if ":dynamodb:" in mapping["EventSourceArn"]
    }


def set_aside(folder: Path, streams: dict[str, Records]) -> None:
    """Once the engine has saved: write down what was unread in `streams`, and take its reading marks back."""
    path = folder / "engine" / "lambda.json"
    saved = read_json(path)
    if saved is None:
        return
    positions = saved["payload"]["dynamodb_stream_positions"]["data"]
    # A key is account, region and the quoted id, with a NUL between.
    read = {key.split("\0")[-1].strip("'"): position for key, position in positions.items()}
    unread = read_json(_unread(folder)) or {}
    for mapping, records in streams.items():
        position = read.get(mapping, 0)
        rest = records[position:] if position <= len(records) else records[-TAIL:]
        unread.setdefault(mapping, []).extend(rest)
    write_private(_unread(folder), json.dumps({mapping: records for mapping, records in unread.items() if records}))
    positions.update(dict.fromkeys(positions, 0))
    write_private(path, json.dumps(saved))


def deliver_unread(folder: Path) -> int:
    """Give the functions what was set aside; how many records. What a function fails on stays set aside."""
    unread: dict[str, Records] = read_json(_unread(folder)) or {}
    client = boto3.client("lambda")
    delivered = 0
    for mapping, records in list(unread.items()):
        described = client.get_event_source_mapping(UUID=mapping)
        size = described.get("BatchSize", TAIL)
        wanted = [record for record in records if _passes(record, described)]
        for start in range(0, len(wanted), size):
            payload = json.dumps({"Records": wanted[start : start + size]}).encode()
            answer = client.invoke(FunctionName=described["FunctionArn"], Payload=payload)
            if "FunctionError" in answer:
                unread[mapping] = wanted[start:]
                break
            delivered += len(wanted[start : start + size])
        else:
            del unread[mapping]
    if unread:
        write_private(_unread(folder), json.dumps(unread))
    else:
        _unread(folder).unlink(missing_ok=True)
    return delivered


def _unread(folder: Path) -> Path:
    return folder / "unread.json"


def _records(stream_arn: str) -> Iterator[dict[str, Any]]:
    client = boto3.client("dynamodbstreams")
    for shard in client.describe_stream(StreamArn=stream_arn)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=stream_arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        ).get("ShardIterator")
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                # As Lambda gets it: plain JSON, and the stream named.
                yield json.loads(json.dumps(record | {"eventSourceARN": stream_arn}, default=_plain))
            iterator = page.get("NextShardIterator") if page["Records"] else None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"a stream record holds a {type(value).__name__}")


def _passes(record: dict[str, Any], mapping: dict[str, Any]) -> bool:
    """Whether the mapping's filter lets the record through, as far as the filter is about the kind of change."""
    patterns = [json.loads(entry["Pattern"]) for entry in mapping.get("FilterCriteria", {}).get("Filters", [])]
    return not patterns or any(
        record["eventName"] in pattern.get("eventName", [record["eventName"]]) for pattern in patterns
    )
