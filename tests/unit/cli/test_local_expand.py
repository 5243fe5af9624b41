"""What the launcher makes of a template."""

import json
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tidings_cli.errors import CommandFailed
from tidings_cli.local.expand import expand
from tidings_cli.local.expanded import Expanded

SMALL = Path(__file__).parent / "fixtures" / "small" / "template.yaml"


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def expanded() -> Expanded:
    return expand(SMALL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(SMALL.parent, tmp_path / "checkout")
    return tmp_path / "checkout" / "template.yaml"


def of_type(expanded: Expanded, kind: str) -> dict[str, dict]:
    resources = expanded.template["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == kind}


def names_in(expanded: Expanded, prefix: str) -> list[str]:
    artifact = next(artifact for artifact in expanded.artifacts if artifact.key.startswith(prefix))
    with zipfile.ZipFile(BytesIO(artifact.make())) as archive:
        return archive.namelist()


def test_every_operation_of_the_api_becomes_a_route_to_its_function(expanded: Expanded) -> None:
    routes = of_type(expanded, "AWS::ApiGatewayV2::Route")
    integrations = of_type(expanded, "AWS::ApiGatewayV2::Integration")
    reached = {}
    for route in routes.values():
        integration = integrations[route["Target"]["Fn::Join"][1][1]["Ref"]]
        assert integration["PayloadFormatVersion"] == "2.0"
        reached[route["RouteKey"]] = "EchoFunction" in json.dumps(integration["IntegrationUri"])
    assert reached == {"POST /v1/echo": True, "GET /v1/things/{thing}": True}


def test_the_api_is_spelled_out_and_keeps_its_stage(expanded: Expanded) -> None:
    api = of_type(expanded, "AWS::ApiGatewayV2::Api")["Api"]
    assert "Body" not in api
    assert api["ProtocolType"] == "HTTP"
    assert expanded.http_apis == ["Api"]
    assert [stage["StageName"] for stage in of_type(expanded, "AWS::ApiGatewayV2::Stage").values()] == ["$default"]


def test_cors_settings_are_spelled_in_both_ways(expanded: Expanded) -> None:
    cors = of_type(expanded, "AWS::ApiGatewayV2::Api")["Api"]["CorsConfiguration"]
    assert cors["allowHeaders"] == cors["AllowHeaders"] == ["authorization", "content-type"]
    assert cors["allowOrigins"] == cors["AllowOrigins"] == ["*"]


def test_a_functions_folder_becomes_its_code(expanded: Expanded) -> None:
    code = of_type(expanded, "AWS::Lambda::Function")["EchoFunction"]["Code"]
    assert code["S3Key"] in {artifact.key for artifact in expanded.artifacts}
    assert names_in(expanded, "functions/echo") == ["app.py"]


def test_a_layer_holds_its_packages_where_lambda_looks_for_them(expanded: Expanded, tmp_path: Path) -> None:
    """Each worker gets a few files, and the first one unpacks the rest, for all."""
    artifact = next(artifact for artifact in expanded.artifacts if artifact.key.startswith("layers/shared"))
    for worker in ("one", "two"):
        with zipfile.ZipFile(BytesIO(artifact.make())) as archive:
            archive.extractall(tmp_path / worker)
    files = {path.name for path in (tmp_path / "one" / "python").rglob("*") if path.is_file()}
    assert files == {"unpacked_layer.py", Path(artifact.key).name, "__init__.py"}
    shared = tmp_path / "shared"
    shared.mkdir()
    code = "import small_shared, json; print(json.dumps([small_shared.GREETING, *small_shared.__path__]))"
    said = []
    for worker in ("one", "two"):
        told = {"PYTHONPATH": str(tmp_path / worker / "python"), "TMPDIR": str(shared)}
        done = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True)
        said.append(json.loads(done.stdout))
    (place,) = shared.iterdir()
    assert said == [["hello", str(place / "small_shared")]] * 2
    unpacked = {path.relative_to(place).parts[-1].rpartition(".")[2] for path in place.rglob("*") if path.is_file()}
    assert unpacked == {"py", "pyc"}


def test_the_layer_of_dependencies_is_left_out(expanded: Expanded) -> None:
    layers = of_type(expanded, "AWS::Lambda::LayerVersion")
    assert [properties["LayerName"] for properties in layers.values()] == ["SharedLayer"]
    for function in of_type(expanded, "AWS::Lambda::Function").values():
        assert [layer["Ref"] for layer in function["Layers"]] == list(layers)


def test_every_function_says_its_name_in_its_calls_and_keeps_its_variables(expanded: Expanded) -> None:
    for name, function in of_type(expanded, "AWS::Lambda::Function").items():
        variables = function["Environment"]["Variables"]
        assert variables["AWS_SDK_UA_APP_ID"] == name
        assert {"TABLE_THINGS", "TABLE_COPIES"} <= set(variables)


def test_what_is_nested_moves_up_and_is_found_under_its_new_name(expanded: Expanded) -> None:
    assert of_type(expanded, "AWS::CloudFormation::Stack") == {}
    assert set(of_type(expanded, "AWS::DynamoDB::Table")) == {
        "DataWorkspaces",
        "DataApiKeys",
        "DataCopies",
        "DataThings",
    }
    variables = of_type(expanded, "AWS::Lambda::Function")["EchoFunction"]["Environment"]["Variables"]
    assert variables["TABLE_THINGS"] == {"Ref": "DataThings"}
    mapping = of_type(expanded, "AWS::Lambda::EventSourceMapping")["CopyFunctionThings"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["DataThings", "StreamArn"]}
    assert expanded.template["Resources"]["DataThings"]["DeletionPolicy"] == "Retain"


def test_the_same_checkout_expands_to_the_same_uploads(checkout: Path) -> None:
    cache = checkout.parent / "functions" / "echo" / "__pycache__"
    cache.mkdir()
    (cache / "app.cpython-311.pyc").write_bytes(b"anything")
    (checkout.parent / "functions" / "copy" / "app.py").touch()
    assert {artifact.key for artifact in expand(checkout).artifacts} == {
        artifact.key for artifact in expand(SMALL).artifacts
    }


def test_changed_code_changes_the_function_and_nothing_else(checkout: Path) -> None:
    before = {artifact.key for artifact in expand(checkout).artifacts}
    with (checkout.parent / "functions" / "copy" / "app.py").open("a") as file:
        file.write("# changed\n")
    after = {artifact.key for artifact in expand(checkout).artifacts}
    assert {key.rpartition("-")[0] for key in after - before} == {"functions/copy", "templates/template"}


def test_a_template_that_is_not_one_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for text in ("Resources: [", "just text", "Parameters: {}", "Resources: []"):
        (tmp_path / "template.yaml").write_text(text)
        with pytest.raises(CommandFailed, match=r"^The template .* cannot be read: "):
            expand(tmp_path / "template.yaml")


def test_a_function_that_cannot_be_transformed_is_refused_in_a_sentence(checkout: Path) -> None:
    checkout.write_text(checkout.read_text().replace("CodeUri: functions/copy", "Nonsense: 1"))
    with pytest.raises(CommandFailed, match=r"^The template .* is not valid: .*CopyFunction"):
        expand(checkout)


def test_a_route_with_an_authorizer_is_refused_rather_than_left_open(checkout: Path) -> None:
    guarded = "      Auth: {EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM}\n      CorsConfiguration:\n"
    checkout.write_text(checkout.read_text().replace("      CorsConfiguration:\n", guarded))
    with pytest.raises(CommandFailed, match=r"cannot guard (POST|GET) /v1/"):
        expand(checkout)


WHOLE = Path(__file__).parents[3] / "template.yaml"


def test_the_whole_template_has_room_in_one_stack() -> None:
    """CloudFormation's limit is 500, which the engine holds to; the rest is for what is still to come."""
    assert len(expand(WHOLE).template["Resources"]) <= 460


def test_what_has_no_effect_on_the_engine_stays_out() -> None:
    whole = expand(WHOLE)
    assert not of_type(whole, "AWS::CloudWatch::Alarm")
    assert not of_type(whole, "AWS::Logs::LogGroup")
    callers = [entry["Principal"] for entry in of_type(whole, "AWS::Lambda::Permission").values()]
    assert "events.amazonaws.com" in callers
    assert "apigateway.amazonaws.com" not in callers


def test_nothing_names_what_stayed_out() -> None:
    whole = expand(WHOLE)
    resources = whole.template["Resources"]
    for name, resource in resources.items():
        assert set(resource.get("DependsOn", [])) <= set(resources), name
    known = set(resources) | set(whole.template["Parameters"])
    assert {name for name in names_used(whole.template) if not name.startswith("AWS::")} <= known


def test_functions_log_where_the_template_says() -> None:
    track = of_type(expand(WHOLE), "AWS::Lambda::Function")["TrackFunction"]
    assert json.dumps(track["LoggingConfig"]).count("/aws/lambda/") == 1


def names_used(value: object) -> set[str]:
    """The logical ids that `Ref` and `Fn::GetAtt` name somewhere within."""
    if isinstance(value, list):
        return set().union(*map(names_used, value))
    if not isinstance(value, dict):
        return set()
    named = {str(value["Ref"])} if "Ref" in value else set()
    named |= {str(value["Fn::GetAtt"][0])} if "Fn::GetAtt" in value else set()
    return named.union(*map(names_used, value.values()))
