"""What `make build` left in .aws-sam is what gets deployed: each function its own code, and every template."""

from pathlib import Path

import pytest
from tests.support.template import ROOT, Stack, root_stack

BUILT = ROOT / ".aws-sam" / "build"
STACK = root_stack()
FUNCTIONS = STACK.of_type("AWS::Serverless::Function")

pytestmark = pytest.mark.artifact


@pytest.fixture(scope="module")
def built() -> Stack:
    if not BUILT.is_dir():
        pytest.skip("nothing is built: run make build")
    return root_stack(BUILT)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_s_folder_holds_its_own_code_and_nothing_else(built: Stack, function: str) -> None:
    source = ROOT / FUNCTIONS[function]["Properties"]["CodeUri"]
    code = BUILT / built.properties(function)["CodeUri"]
    assert files_of(code) == files_of(source)
    assert (code / "app.py").is_file()


@pytest.mark.parametrize("layer", ["DependenciesLayer", "TidingsLayer"])
def test_a_layer_is_one_folder_that_lambda_looks_into(built: Stack, layer: str) -> None:
    folder = BUILT / built.properties(layer)["ContentUri"]
    assert [path.name for path in folder.iterdir()] == ["python"]


@pytest.mark.parametrize("nested", STACK.of_type("AWS::CloudFormation::Stack"))
def test_a_nested_template_is_built_as_it_is_written(built: Stack, nested: str) -> None:
    assert built.nested(nested).template == STACK.nested(nested).template
