"""The layers hold what Lambda's Python and processor can import, and exactly what is pinned.

Each test runs on two layers: the one that `make` builds right here (marked `build`), and the one that `make build` left
in .aws-sam (marked `artifact`). Which Python runs the tests does not matter: compiled files are looked at, not loaded.
"""

import ast
import json
import os
import re
import subprocess
import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
from tests.support.template import ROOT, root_stack

SOURCE = ROOT / "layers"
BUILT = ROOT / ".aws-sam" / "build"
STACK = root_stack()
RUNTIME = os.environ.get("RUNTIME") or STACK.parameters["Runtime"]
ARCHITECTURE = os.environ.get("ARCHITECTURE") or STACK.parameters["Architecture"]
CPYTHON = "cpython-" + RUNTIME.removeprefix("python").replace(".", "")
MACHINE = {"arm64": "aarch64", "x86_64": "x86_64"}[ARCHITECTURE]
# The field e_machine of an ELF header: https://man7.org/linux/man-pages/man5/elf.5.html
ELF_MACHINE = {"arm64": 183, "x86_64": 62}[ARCHITECTURE]
# Imported late by code that only the command line calls: functions are given JSON.
ONLY_ON_THE_COMMAND_LINE = {"yaml"}
# Lambda's limit for a function with all its layers, unzipped.
LAMBDA_BYTES = 250 * 1024 * 1024

both = pytest.mark.parametrize(
    "built",
    [pytest.param("make", marks=pytest.mark.build), pytest.param("sam", marks=pytest.mark.artifact)],
    indirect=True,
)


@pytest.fixture(scope="module")
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the layers DependenciesLayer and TidingsLayer."""
    if request.param == "sam":
        if not BUILT.is_dir():
            pytest.skip("nothing is built: run make build")
        return BUILT
    folder = tmp_path_factory.mktemp("layers")
    for layer in ("Dependencies", "Tidings"):
        settings = [f"ARTIFACTS_DIR={folder}/{layer}Layer", f"RUNTIME={RUNTIME}", f"ARCHITECTURE={ARCHITECTURE}"]
        settings += [f"PYTHON={sys.executable}"]
        make = ["make", "--no-print-directory", "-C", str(SOURCE / layer.lower()), f"build-{layer}Layer", *settings]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        subprocess.run(make, check=True, env=environment)
    return folder


@pytest.fixture
def dependencies(built: Path) -> Path:
    return built / "DependenciesLayer" / "python"


@pytest.fixture
def package(built: Path) -> Path:
    return built / "TidingsLayer" / "python"


def pins(name: str = "requirements.txt") -> dict[str, str]:
    text = (SOURCE / "dependencies" / name).read_text(encoding="utf-8")
    return {canonical(found): version for found, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata(dependencies: Path, file: str) -> dict[str, Message]:
    """A file of each installed package's *.dist-info, by the package's name."""
    found = {}
    for folder in dependencies.glob("*.dist-info"):
        name = Parser().parsestr((folder / "METADATA").read_text(encoding="utf-8"))["Name"]
        found[canonical(name)] = Parser().parsestr((folder / file).read_text(encoding="utf-8"))
    return found


def runs(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def test_the_layers_are_built_for_the_runtime_and_processor_of_the_template() -> None:
    for layer in ("dependencies", "tidings"):
        makefile = (SOURCE / layer / "Makefile").read_text(encoding="utf-8")
        assert f"RUNTIME ?= {STACK.parameters['Runtime']}\n" in makefile
    assert f"ARCHITECTURE ?= {STACK.parameters['Architecture']}\n" in makefile_of_dependencies()


def makefile_of_dependencies() -> str:
    return (SOURCE / "dependencies" / "Makefile").read_text(encoding="utf-8")


def test_every_pin_is_locked_with_its_hashes() -> None:
    lock = (SOURCE / "dependencies" / "requirements.lock").read_text(encoding="utf-8")
    assert pins("requirements.lock") == pins()
    for entry in re.split(r"\n(?=\w)", lock)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}$", entry.strip()), entry


@both
def test_the_layer_holds_the_pinned_packages_and_no_others(dependencies: Path) -> None:
    assert {name: found["Version"] for name, found in metadata(dependencies, "METADATA").items()} == pins()


@both
def test_compiled_packages_were_made_for_the_runtime_and_processor(dependencies: Path) -> None:
    compiled = {
        name: found.get_all("Tag")
        for name, found in metadata(dependencies, "WHEEL").items()
        if found["Root-Is-Purelib"] == "false"
    }
    assert "pydantic-core" in compiled
    abi = CPYTHON.replace("cpython-", "cp")
    for name, tags in compiled.items():
        # What keeps to Python's stable interface is made for this version and all after it.
        fits = rf"(?:{abi}-{abi}|cp3\d+-abi3)-manylinux\w+_{MACHINE}"
        assert all(re.fullmatch(fits, tag) for tag in tags), (name, tags)


@both
def test_compiled_files_are_found_by_the_runtime_and_run_on_the_processor(dependencies: Path) -> None:
    files = list(dependencies.rglob("*.so"))
    assert {file.name.partition(".")[0] for file in files} >= {"_pydantic_core", "_speedups"}
    for file in files:
        assert file.name.endswith((f".{CPYTHON}-{MACHINE}-linux-gnu.so", ".abi3.so")), file
        header = file.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == ELF_MACHINE, file


@both
@pytest.mark.parametrize("layer", ["DependenciesLayer", "TidingsLayer"])
def test_bytecode_is_the_runtime_s_own_and_is_never_checked_against_its_source(built: Path, layer: str) -> None:
    files = list((built / layer).rglob("*.pyc"))
    assert bool(files) is runs(RUNTIME)
    for file in files:
        assert file.name.endswith(f".{CPYTHON}.pyc"), file
        # Bit 0: the hash of the source stands in the file; bit 1: it is to be checked. https://peps.python.org/pep-0552
        assert int.from_bytes(file.read_bytes()[4:8], "little") == 1, file


@both
def test_the_layer_carries_the_licences_and_leaves_the_rest_at_home(dependencies: Path) -> None:
    for name, found in metadata(dependencies, "METADATA").items():
        for licence in found.get_all("License-File") or []:
            assert list(dependencies.rglob(licence.rpartition("/")[2])), (name, licence)
    assert not [path for path in dependencies.rglob("*") if path.is_dir() and path.name in ("tests", "bin")]


@both
def test_both_layers_and_a_function_stay_far_below_lambda_s_limit(built: Path) -> None:
    layers = [built / "DependenciesLayer", built / "TidingsLayer"]
    size = sum(file.stat().st_size for layer in layers for file in layer.rglob("*") if file.is_file())
    assert size < LAMBDA_BYTES / 2


@both
def test_everything_that_the_code_imports_is_in_the_layers(dependencies: Path, package: Path) -> None:
    sources = [*(SOURCE / "tidings" / "tidings").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    names = {name for source in sources for name in imported(source)} - set(sys.stdlib_module_names)
    missing = {
        name
        for name in names
        if not any((folder / name).is_dir() or (folder / f"{name}.py").is_file() for folder in (dependencies, package))
    }
    assert missing == ONLY_ON_THE_COMMAND_LINE


def imported(source: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


@both
def test_every_service_that_the_code_calls_is_described_in_the_layer(dependencies: Path) -> None:
    sources = (SOURCE / "tidings" / "tidings").rglob("*.py")
    called = {name for file in sources for name in re.findall(r"\.client\(\s*\"([\w-]+)\"", file.read_text("utf-8"))}
    assert called >= {"sesv2", "stepfunctions", "sqs"}
    assert {"dynamodb", *called} <= {path.name for path in (dependencies / "botocore" / "data").iterdir()}


PURE = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import boto3, liquid, maxminddb, phonenumbers, pynamodb.models, ua_parser
from aws_lambda_powertools.logging import Logger
services = json.loads(sys.argv[2])
clients = [boto3.client(s, "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x") for s in services]
assert liquid.parse("{{ a | upcase }}").render(a="b") == "B"
assert phonenumbers.is_valid_number(phonenumbers.parse("601 234 567", "PL"))
assert ua_parser.parse_os("Mozilla/5.0 (Windows NT 6.1)").family == "Windows"
logger = sys.modules[Logger.__module__]
found = (boto3, liquid, logger, maxminddb, phonenumbers, pynamodb.models, ua_parser)
print(json.dumps({"files": [m.__file__ for m in found],
                  "endpoints": [client.meta.endpoint_url for client in clients]}))
"""


@both
def test_the_parts_without_compiled_code_work_from_the_layer(dependencies: Path) -> None:
    kept = re.search(r"^SERVICES := (.+)$", makefile_of_dependencies(), re.MULTILINE)
    assert kept is not None
    services = kept[1].split()
    # Isolated from the environment and from this Python's own packages.
    command = [sys.executable, "-I", "-S", "-c", PURE, str(dependencies), json.dumps(services)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert all(Path(file).is_relative_to(dependencies) for file in found["files"])
    assert len(found["endpoints"]) == len(services)
    assert all(".eu-central-1." in endpoint for endpoint in found["endpoints"])


@both
def test_of_phone_numbers_only_the_core_is_there(dependencies: Path) -> None:
    folder = dependencies / "phonenumbers"
    assert {path.name for path in folder.iterdir() if path.is_dir()} - {"__pycache__"} == {"data", "shortdata"}
    assert not [path for path in folder.iterdir() if path.stem in ("geocoder", "carrier", "timezone")]


@both
def test_the_package_is_whole_and_nothing_else(package: Path) -> None:
    assert [path.name for path in package.iterdir()] == ["tidings"]
    assert contents(package / "tidings") == contents(SOURCE / "tidings" / "tidings")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


WALK = """
import importlib, pathlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import tidings
names = [module.name for module in pkgutil.walk_packages(tidings.__path__, "tidings.")]
files = [importlib.import_module(name).__file__ for name in names]
assert len(names) > 20 and all(pathlib.Path(file).is_relative_to(sys.argv[1]) for file in files), files
"""


@both
def test_every_module_of_the_package_can_be_imported_from_the_layer(package: Path) -> None:
    environment = {**os.environ, "AWS_DEFAULT_REGION": "us-east-1"}
    subprocess.run([sys.executable, "-c", WALK, str(package)], check=True, env=environment)
