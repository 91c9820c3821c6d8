"""Judges a proxy as a step of action.yml: annotations of failures, and a summary of the job.

Inputs are environment variables, so that no input becomes part of a script. The exit code is that of `shardproof run`.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

USAGE = 64
REPORT = Path("shardproof.json")
FILES = ["--json", str(REPORT), "--html", "shardproof.html", "--junit", "shardproof.xml"]
# Annotations that GitHub shows of one step.
ANNOTATIONS_MAX = 10


def main():
    given = lambda name: os.environ.get(f"SHARDPROOF_{name}", "").strip()
    level = given("LEVEL") or "must"
    if level not in ("must", "should"):
        sys.exit(usage(f"level: `{level}` is unknown, expected must or should"))
    if bool(given("TARGET")) == bool(given("PROXY")):
        sys.exit(usage("expected either the input target or the input proxy"))
    command = ["shardproof", "run", *FILES]
    for flag, values in [
        ("--target", [given("TARGET")]),
        ("--proxy", [given("PROXY")]),
        ("--node", given("NODES").split()),
        ("--baseline", [given("BASELINE")]),
        ("--summary", [os.environ.get("GITHUB_STEP_SUMMARY", "")]),
    ]:
        command += [word for value in values if value for word in (flag, value)]
    if level == "should":
        command.append("--strict")
    print("$", shlex.join(command), flush=True)
    REPORT.unlink(missing_ok=True)
    ended = subprocess.run(command).returncode
    if REPORT.exists():
        show(json.loads(REPORT.read_text()))
    sys.exit(ended)


def usage(why):
    print(f"::error title=shardproof::{escaped(why)}")
    return USAGE


def show(report):
    """Annotations, and the output `wrong`."""
    wrong = sum(target["summary"]["wrong"] for target in report["targets"])
    if path := os.environ.get("GITHUB_OUTPUT"):
        with open(path, "a", encoding="utf-8") as outputs:
            outputs.write(f"wrong={wrong}\n")
    failures = [
        result
        for target in report["targets"]
        for result in target["results"]
        if result["standing"] in ("FAIL", "MENDED")
        and (result["standing"] == "MENDED" or result["level"] in report["counted"])
    ]
    for result in failures[:ANNOTATIONS_MAX]:
        title = escaped(f"{result['case']} ({result['level']})").replace(":", "%3A").replace(",", "%2C")
        print(f"::error title={title}::{escaped(reason(result))}")


def reason(result):
    if result["standing"] == "MENDED":
        return "recorded as a failure, and passes: remove its row"
    return f"{result['promise']} Expected {result['expected']}, got {result['got']} [{result['class']}]"


def escaped(text):
    """Data of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


if __name__ == "__main__":
    main()
