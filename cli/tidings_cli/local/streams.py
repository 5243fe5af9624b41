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
from botocore.config import Config

from tidings_cli.local.folder import read_json, write_private

Records = list[dict[str, Any]]

# What is delivered again if it cannot be told what was unread: the engine drops a stream's records after 24 hours, and
# counts from then on from a place that nobody sees.
TAIL = 100
# How often a function is given a batch of which it does not even do the first record.
TRIES = 3
# As long as a function may take at all: asked again sooner, it would do the same twice at once.
_PATIENT = Config(read_timeout=900, retries={"total_max_attempts": 1})


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
    _keep(folder, unread)
    positions.update(dict.fromkeys(positions, 0))
    write_private(path, json.dumps(saved))


def deliver_unread(folder: Path) -> int:
    """Give the functions what was set aside; what a function fails on stays so, and how many records that is."""
    unread: dict[str, Records] = read_json(_unread(folder)) or {}
    left = {mapping: _deliver(mapping, records) for mapping, records in unread.items()}
    _keep(folder, left)
    return sum(map(len, left.values()))


def _deliver(mapping: str, records: Records) -> Records:
    """Those that were not delivered: none, or from the one on that the function failed on again and again."""
    client = boto3.client("lambda", config=_PATIENT)
    # By its stream, since a mapping that the template changed has another id now.
    there = client.list_event_source_mappings(EventSourceArn=records[0]["eventSourceARN"])["EventSourceMappings"]
    for described in sorted(there, key=lambda one: one["UUID"] != mapping)[:1]:
        size, tries = described.get("BatchSize", TAIL), 0
        wanted = [record for record in records if _passes(record, described)]
        while wanted and tries < TRIES:
            done = _taken(client, described["FunctionArn"], wanted[:size])
            wanted, tries = wanted[done:], 0 if done else tries + 1
        return wanted
    return []


def _taken(client: Any, function: str, batch: Records) -> int:
    """How many of a batch, from its beginning, a function took: it may answer which ones it failed on."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps({"Records": batch}).encode())
    if "FunctionError" in answer:
        return 0
    told = json.loads(answer["Payload"].read() or b"null")
    failures = told.get("batchItemFailures", []) if isinstance(told, dict) else []
    failed = {failure["itemIdentifier"] for failure in failures}
    numbers = (record["dynamodb"]["SequenceNumber"] for record in batch) if failed else ()
    return next((place for place, number in enumerate(numbers) if number in failed), len(batch))


def _keep(folder: Path, unread: dict[str, Records]) -> None:
    kept = {mapping: records for mapping, records in unread.items() if records}
    if kept:
        write_private(_unread(folder), json.dumps(kept, default=_plain))
    else:
        _unread(folder).unlink(missing_ok=True)


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
            # Lambda says which stream a record is of, the stream itself does not.
            yield from (record | {"eventSourceARN": stream_arn} for record in page["Records"])
            iterator = page.get("NextShardIterator") if page["Records"] else None


def _plain(value: Any) -> Any:
    """How Lambda's JSON says what boto3 has types for."""
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
