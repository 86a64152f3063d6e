"""Make notebooks/exercises from notebooks/solutions: `make exercises`; with `--check`, say which are not up to date.

In an exercise, a cell tagged `solution` becomes its imports, "# Write your code here." and the names that the check
below it asks for: `name = ...`, or the `def` line and the docstring of a function. A cell tagged `solutions-only`
goes, and so does every output.
"""

import ast
from pathlib import Path
from typing import Any

import nbformat

from helpers.settings import ROOT
from tools.generated import write_or_check

SOLUTIONS, EXERCISES = ROOT / "notebooks" / "solutions", ROOT / "notebooks" / "exercises"
HERE = "# Write your code here."


def names_asked(source: str) -> list[str]:
    """The variables that a cell such as `check("01.coffee", coffee)` looks at."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    checks = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "check"]
    return [argument.id for call in checks for argument in call.args if isinstance(argument, ast.Name)]


def stub(solution: str, names: list[str]) -> str:
    """The empty cell in place of a solution. Raises ValueError for a name that the solution does not make."""
    body = ast.parse(solution).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    stored = [node for node in ast.walk(ast.parse(solution)) if isinstance(node, ast.Name)]
    made = {node.id for node in stored if isinstance(node.ctx, ast.Store)} | functions.keys()
    if missing := [name for name in names if name not in made]:
        raise ValueError(f"the solution makes no {missing[0]!r}, which the check asks for")
    imports = [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    parts = ["\n".join(imports)] if imports else []
    parts.append("\n".join([HERE, *(f"{name} = ..." for name in names if name not in functions)]))
    for name in names:
        if name in functions:
            node = functions[name]
            node.body = [*node.body[: ast.get_docstring(node) is not None], ast.Expr(ast.Constant(...))]
            parts.append("\n" + ast.unparse(node))
    return "\n\n".join(parts)


def exercise_of(solution: Any) -> Any:
    """The notebook with its solutions taken out."""
    cells = [cell for cell in solution.cells if "solutions-only" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(cells):
        tags = cell.metadata.pop("tags", [])
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if "solution" in tags:
            after = next(each for each in cells[number:] if "check" in each.metadata.get("tags", []))
            cell.source = stub(cell.source, names_asked(after.source))
    solution.cells = cells
    return solution


def outdated() -> dict[Path, str]:
    """The exercises that are not what their solutions make, with the text that they should have."""
    found = {}
    for path in sorted(SOLUTIONS.glob("[0-9]*.ipynb")):
        text = nbformat.writes(exercise_of(nbformat.read(path, as_version=4))) + "\n"
        target = EXERCISES / path.name
        if not target.exists() or target.read_text("utf-8") != text:
            found[target] = text
    return found


def main() -> int:
    return write_or_check(outdated, "Make the exercises from the solutions.")


if __name__ == "__main__":
    raise SystemExit(main())
