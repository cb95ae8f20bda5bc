#!/usr/bin/env python3
"""The rules of docs/STYLE.md that no compiler checks. One line per finding, then `N passed, M failed`."""

import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_LINES_MAX, FILE_LINES_MAX, HEADER_LINES_MAX, COLUMNS_MAX, PARAMETERS_MAX = 70, 600, 200, 110, 6
PROGRAMS = ("streamer", "applier", "control")
IO_ONLY = ("libpq-fe.h", "sqlite3.h", "microhttpd.h", "rdkafka.h")
BANNED = "strcpy strcat sprintf vsprintf strtok gets atoi atol gmtime localtime alloca".split()
# What core may not call: it has no clock, log, file or environment.
IMPURE = "fopen open read write printf fprintf time clock_gettime getenv log_write".split()

# "rule path[:name]": "reason". One line each; a line that is not needed any more is a finding too.
EXCEPTIONS = {
    "parameters lib/io/http.c:on_request": "libmicrohttpd's callback",
}


class Source:
    """A C file: its lines, and the same text with comments and literals blanked (same length and lines)."""

    def __init__(self, path):
        self.path = path
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text()
        self.lines = self.text.splitlines()
        self.code = blank(self.text)
        self.includes = re.findall(r'^[ \t]*#[ \t]*include[ \t]+[<"]([^>"]+)[>"]', self.text, re.M)
        self.layer = self.name.split("/")[0] if not self.name.startswith("lib/") else "/".join(self.name.split("/")[:2])


def blank(text):
    """Blanks comments, strings, character constants and preprocessor lines, and keeps line breaks."""
    token = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|^[ \t]*#(?:\\\n|[^\n])*',
                       re.S | re.M)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def close_of(code, start):
    """The index of the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(code)):
        depth += (code[at] in "({") - (code[at] in ")}")
        if depth == 0:
            return at
    return len(code) - 1


def functions(source):
    """(name, first line of the definition, last line, parameter text) of each function definition.

    At file level everything between braces is skipped, so a brace behind `name(…)` opens a body."""
    code, at, found = source.code, 0, []
    while (brace := code.find("{", at)) >= 0:
        head = code[max(code.rfind(";", at, brace), code.rfind("}", at, brace), at - 1) + 1:brace]
        end = close_of(code, brace)
        parameters = re.search(r"(\w+)\s*\(", head)
        if parameters and "=" not in head:
            closing = close_of(head, parameters.end() - 1)
            first = code.count("\n", 0, brace - len(head) + len(head) - len(head.lstrip())) + 1
            found.append((parameters[1], first, code.count("\n", 0, end) + 1, head[parameters.end():closing]))
        at = end + 1
    return found


def parameter_count(text):
    text = text.strip()
    if text in ("", "void"):
        return 0
    depth, count = 0, 1
    for char in text:
        depth += (char == "(") - (char == ")")
        count += char == "," and depth == 0
    return count


def check_sizes(source):
    """Lengths of files, headers, lines and functions; numbers of parameters."""
    limit = HEADER_LINES_MAX if source.name.endswith(".h") else FILE_LINES_MAX
    if len(source.lines) > limit:
        yield "file-lines", source.name, f"{len(source.lines)} lines, at most {limit}"
    unformatted = "clang-format off" in source.text  # tables of one row per line
    for number, line in enumerate(source.lines, 1):
        if len(line) > COLUMNS_MAX and not unformatted:
            yield "line-columns", f"{source.name}:{number}", f"{len(line)} columns, at most {COLUMNS_MAX}"
    for name, first, last, parameters in functions(source):
        place = f"{source.name}:{name}"
        if last - first + 1 > FUNCTION_LINES_MAX:
            yield "function-lines", place, f"{last - first + 1} lines, at most {FUNCTION_LINES_MAX}"
        if parameter_count(parameters) > PARAMETERS_MAX:
            yield "parameters", place, f"{parameter_count(parameters)} parameters, at most {PARAMETERS_MAX}"


def io_headers():
    """The modules of include/walferry whose source is in lib/io: core may not include them."""
    sources = {path.stem for path in (ROOT / "lib/io").glob("*.c")}
    core = {path.stem for path in (ROOT / "lib/core").glob("*.c")}
    modules = {path.stem for path in (ROOT / "include/walferry").glob("*.h")}
    return {name for name in modules - core
            if any(stem == name or stem.startswith(name + "_") for stem in sources)}


def check_includes(source):
    """Direction: programs → lib/io → lib/core, and outside libraries in lib/io only."""
    forbidden_io = io_headers() if source.layer == "lib/core" else set()
    for include in source.includes:
        name = include.split("/")[-1]
        if name in IO_ONLY and source.layer not in ("lib/io", "tests"):
            yield "io-only", source.name, f"{include} belongs to lib/io"
        if source.layer == "lib/core" and (name == "uv.h" or (include.startswith("walferry/") and name[:-2] in forbidden_io)):
            yield "direction", source.name, f"core includes {include} of lib/io"
        reached = (source.path.parent / include).resolve()
        target = reached.relative_to(ROOT).parts[0] if reached.is_relative_to(ROOT) and reached.exists() else None
        if target in PROGRAMS and target != source.layer and source.layer in PROGRAMS + ("lib/io", "lib/core", "include"):
            yield "direction", source.name, f"{source.layer} includes {include} of {target}"


def check_calls(source):
    """Calls that are never right, and calls that have no place in core."""
    for number, line in enumerate(source.code.splitlines(), 1):
        for name in re.findall(r"(?<![\w.>])(\w+)\s*\(", line):
            if name in BANNED:
                yield "banned", f"{source.name}:{number}", f"{name}() is banned"
            elif source.layer == "lib/core" and name in IMPURE:
                yield "pure", f"{source.name}:{number}", f"{name}() has no place in core"


def check_unit_tests():
    """Each lib/core/x.c has tests/unit/test_x.c; a part of a module (x_part.c, no header in include/walferry) may
    be tested through the module's test_x*.c."""
    tests = {path.stem for path in (ROOT / "tests/unit").glob("test_*.c")}
    for path in sorted((ROOT / "lib/core").glob("*.c")):
        stem = path.stem
        parts = stem.split("_")
        is_module = (ROOT / f"include/walferry/{stem}.h").exists()
        names = [stem] if is_module else ["_".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if not any(test == f"test_{name}" or test.startswith(f"test_{name}_") for test in tests for name in names):
            yield "unit-test", f"lib/core/{path.name}", f"tests/unit/test_{stem}.c is missing"


def check_header_alone(path):
    """A header compiles alone, twice (its guard), with the programs' include paths."""
    packages = ["libpq", "libuv", "sqlite3", "libmicrohttpd"]
    flags = subprocess.run(["pkg-config", "--cflags", *packages], capture_output=True, text=True, check=True).stdout
    name = path.relative_to(ROOT).as_posix()
    include = f'#include "{path}"\n'
    command = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}/include",
               '-DTEST_DATA=""', f"-I{ROOT}/lib/core", f"-I{ROOT}/lib/io", f"-I{ROOT}/.deps/include", *flags.split(), "-x", "c", "-"]
    result = subprocess.run(command, input=include * 2, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        first = next((line for line in result.stderr.splitlines() if "error" in line), "does not compile")
        yield "header-alone", name, first.split("error: ")[-1]


def c_files():
    names = subprocess.run([ROOT / "scripts/c_files.sh"], capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split()]


def main():
    sources = [Source(path) for path in c_files()]
    checks = [check(source) for source in sources for check in (check_sizes, check_includes, check_calls)]
    headers = [source.path for source in sources if source.name.endswith(".h")]
    findings, count = list(check_unit_tests()), len(checks) + len(headers) + len(list((ROOT / "lib/core").glob("*.c")))
    for check in checks:
        findings += check
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda path: list(check_header_alone(path)), headers):
            findings += found

    used = {key for key in (f"{rule} {place}" for rule, place, _ in findings) if key in EXCEPTIONS}
    findings = [(rule, place, text) for rule, place, text in findings if f"{rule} {place}" not in used]
    findings += [("exception", key, "not needed any more") for key in EXCEPTIONS if key not in used]
    for rule, place, text in findings:
        print(f"{place}: {text} [{rule}]")
    failed = len({(rule, place) for rule, place, _ in findings})
    print(f"{max(count - failed, 0)} passed, {failed} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
