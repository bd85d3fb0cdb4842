"""public/openapi.yaml and public/asyncapi.yaml as something that can say what a message is, and what has not been seen yet."""

import json
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

PUBLIC = Path(__file__).resolve().parents[2] / "public"
BASE = "https://leyden.invalid/"


def load(name):
    return yaml.safe_load((PUBLIC / name).read_text())


REGISTRY = Registry().with_resources(
    (BASE + name, Resource.from_contents(load(name), default_specification=DRAFT202012)) for name in ("openapi.yaml", "asyncapi.yaml"))


def complaint(name, pointer, value):
    """What is wrong with the value, `None` if it is as the schema at this place says."""
    validator = Draft202012Validator({"$ref": f"{BASE}{name}#{pointer}"}, registry=REGISTRY)
    error = next(validator.iter_errors(value), None)
    return error and f"{error.json_path}: {error.message[:300]}"


def complaint_of_text(schema, text):
    """The same of a header, which is a text whatever its schema says."""
    value = int(text) if schema.get("type") == "integer" and text.isascii() and text.isdigit() else text
    error = next(Draft202012Validator(schema).iter_errors(value), None)
    return error and error.message[:300]


def escape(key):
    return key.replace("~", "~0").replace("/", "~1")


# What every answer may have, as the RFCs of HTTP describe it.
ORDINARY = {
    "cache-control", "connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding", "x-accel-buffering",
    "x-content-type-options"}


class Rest:
    """Answers against openapi.yaml."""

    def __init__(self):
        self.document = load("openapi.yaml")
        self.seen = set()
        self.seen_headers = set()

    def check(self, method, path, template, status, headers, body):
        place = ["paths", template, method.lower(), "responses", str(status)]
        found = self._at(place)
        assert found is not None, f"{method} {path}: {status} is not in the document"
        if "$ref" in found:
            place = found["$ref"].removeprefix("#/").split("/")
            found = self._at(place)
        kind = headers["Content-Type"].split(";")[0]
        assert kind in found["content"], f"{method} {path}: {status} comes as {kind}"
        if kind.endswith("json"):
            pointer = "/" + "/".join(map(escape, [*place, "content", kind, "schema"]))
            wrong = complaint("openapi.yaml", pointer, json.loads(body))
            assert wrong is None, f"{method} {path}: {status}: {wrong}"
        self.seen.add((method, template, status, kind))
        self._check_headers(method, path, template, status, found.get("headers", {}), headers)

    def _check_headers(self, method, path, template, status, promised, headers):
        names = {name.lower(): name for name in promised}
        for name, value in headers.items():
            if name.lower() in ORDINARY:
                continue
            assert name.lower() in names, f"{method} {path}: {status} comes with {name}, which is not in the document"
            schema = self._resolved(promised[names[name.lower()]])["schema"]
            wrong = complaint_of_text(schema, value)
            assert wrong is None, f"{method} {path}: {name}: {wrong}"
            self.seen_headers.add((method, template, names[name.lower()]))

    def _resolved(self, value):
        return self._at(value["$ref"].removeprefix("#/").split("/")) if "$ref" in value else value

    def _at(self, place):
        value = self.document
        for key in place:
            value = value.get(key)
            if value is None:
                return None
        return value

    @property
    def promised(self):
        """Every operation with every status and form of its answers."""
        for template, operations in self.document["paths"].items():
            for method, operation in operations.items():
                for status, response in operation.get("responses", {}).items() if isinstance(operation, dict) else ():
                    for kind in self._resolved(response)["content"]:
                        yield method.upper(), template, int(status), kind

    @property
    def promised_headers(self):
        """Every operation with every header of its answers."""
        for template, operations in self.document["paths"].items():
            for method, operation in operations.items():
                for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                    for name in self._resolved(response).get("headers", {}):
                        yield method.upper(), template, name

    def accepts(self, schema, value):
        return complaint("openapi.yaml", f"/components/schemas/{schema}", value) is None


class Streams:
    """Messages against asyncapi.yaml: each has to be exactly one of those that may go this way on its channel."""

    def __init__(self):
        self.document = load("asyncapi.yaml")
        self.seen = set()

    def names(self, operation):
        operation = self.document["operations"][operation]
        channel = operation["channel"]["$ref"].rsplit("/", 1)[1]
        if "messages" in operation:
            return [each["$ref"].rsplit("/", 1)[1] for each in operation["messages"]]
        return list(self.document["channels"][channel]["messages"])

    def check(self, operation, message):
        wrong = {name: complaint("asyncapi.yaml", f"/components/messages/{name}/payload", message) for name in self.names(operation)}
        right = [name for name, each in wrong.items() if each is None]
        assert len(right) == 1, f"{operation}: {json.dumps(message)[:400]} is {right or wrong}"
        self.seen.add((operation, right[0]))

    @property
    def promised(self):
        return {(operation, name) for operation in self.document["operations"] for name in self.names(operation)}
