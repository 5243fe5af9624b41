"""HTTP APIs for an engine that does not read OpenAPI.

SAM turns a function's HttpApi events into an OpenAPI document, the `Body` of the API. The engine ignores it: there
would be no routes. Here it becomes the integrations and routes that it describes, which the engine does serve.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tidings_cli.errors import CommandFailed

Resources = dict[str, Any]
API = "AWS::ApiGatewayV2::Api"
INTEGRATION = "x-amazon-apigateway-integration"
CORS = "x-amazon-apigateway-cors"
ANY_METHOD = "x-amazon-apigateway-any-method"


def spell_out_http_apis(resources: Resources) -> list[str]:
    """Replace the `Body` of every HTTP API by resources of their own, in place; returns the APIs' logical ids."""
    apis = [
        name for name, resource in resources.items() if resource["Type"] == API and "Body" in resource["Properties"]
    ]
    for api in apis:
        properties = resources[api]["Properties"]
        body = properties.pop("Body")
        # About checking the Body, which is no longer there.
        properties.pop("FailOnWarnings", None)
        properties.setdefault("Name", body["info"]["title"])
        properties["ProtocolType"] = "HTTP"
        if CORS in body:
            properties["CorsConfiguration"] = _both_spellings(body[CORS])
        resources.update(_routes(api, body["paths"]))
    return apis


def _both_spellings(cors: dict[str, Any]) -> dict[str, Any]:
    """CORS settings as CloudFormation spells them and as the engine reads them, which are not the same."""
    return {spelling: value for key, value in cors.items() for spelling in (key, key[0].upper() + key[1:])}


def _routes(api: str, paths: dict[str, Any]) -> Resources:
    made: Resources = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            key = f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"
            if operation.get("security"):
                raise CommandFailed(f"The local system cannot guard {key} with an authorizer.")
            integration = f"{api}Integration{_mark(operation[INTEGRATION])}"
            made[integration] = _integration(api, operation[INTEGRATION])
            made[f"{api}Route{_mark(key)}"] = {
                "Type": "AWS::ApiGatewayV2::Route",
                "Properties": {
                    "ApiId": {"Ref": api},
                    "RouteKey": "$default" if path == "/$default" else key,
                    "Target": {"Fn::Join": ["/", ["integrations", {"Ref": integration}]]},
                },
            }
    return made


def _integration(api: str, described: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGatewayV2::Integration",
        "Properties": {
            "ApiId": {"Ref": api},
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": described["uri"],
            "PayloadFormatVersion": described["payloadFormatVersion"],
        },
    }


def _mark(what: Any) -> str:
    """A short hash that makes a logical id of what a resource is for, so that it is the same at the next start."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:10]
