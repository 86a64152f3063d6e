"""JupyterLab as `make lab` starts it, and Chromium to look at it: for tests in a browser, benchmarks, screenshots."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page, sync_playwright

from helpers.settings import ROOT
from tools.notebook_env import offline_environment

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
PATIENCE = 120_000  # milliseconds, for a machine that does other things too
START_SECONDS = 60
ERROR = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"]'  # what Lab makes of errors
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that runs: where it listens, and its token."""

    url: str
    token: str

    def page_of(self, notebook: str) -> str:
        """The address of a notebook by its path from the root, in a workspace where no other notebook is open."""
        # By its whole path: a lesson and its exercises have one name.
        workspace = notebook.removesuffix(".ipynb").replace("/", "-")
        return f"{self.url}lab/workspaces/{workspace}/tree/{notebook}?token={self.token}"

    def stop_kernels(self) -> None:
        """End every kernel: one that nobody looks at any more still holds its memory."""
        for kernel in json.loads(self._ask("GET", "api/kernels")):
            self._ask("DELETE", f"api/kernels/{kernel['id']}")

    def _ask(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            content: bytes = answer.read()
            return content


def copy_of_checkout(tree: Path) -> Path:
    """The checkout at `tree`, so that nothing in the real one is written to."""
    leave = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "node_modules", "tests", "_book")
    shutil.copytree(ROOT, tree, ignore=leave)
    return tree


def learners_environment(tree: Path, home: Path) -> dict[str, str]:
    """Offline, with an empty home, and with progress as a learner sees it.

    JupyterLab usually keeps only the visible cells in the page; here all of them are to be looked at.
    """
    env = offline_environment(home) | {"HOME": str(home), "PYTHONPATH": str(tree)}
    env.pop("VIDEO_SEARCH_PROGRESS")
    env["JUPYTERLAB_SETTINGS_DIR"] = str(home / "settings")
    tracker = home / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps({"windowingMode": "none"}), "utf-8")
    return env


@contextmanager
def started_lab(root: Path, home: Path, environment: Mapping[str, str]) -> Iterator[Lab]:
    """Start JupyterLab on the checkout `root`; `home` is an empty folder, RuntimeError where it does not start."""
    options = ["--no-browser", "--port=0", f"--IdentityProvider.token={secrets.token_hex(16)}"]
    command = [sys.executable, "-m", "tools.lab", *options]
    with (home / "lab.log").open("w") as log:
        process = subprocess.Popen(command, env=dict(environment), cwd=root, stdout=log, stderr=log)
        try:
            yield _listening(Path(environment["JUPYTER_RUNTIME_DIR"]), process, home / "lab.log")
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


def _listening(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> Lab:
    """The server from the file that it writes once it listens."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            with suppress(json.JSONDecodeError):
                server = json.loads(path.read_text("utf-8"))
                return Lab(server["url"], server["token"])
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text('utf-8')[-3000:]}")


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """A headless Chromium, the environment's or the one on the path."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        try:
            yield browser
        finally:
            browser.close()


def write_notebook(path: Path, sources: list[str]) -> Path:
    """A notebook of these code cells, not run yet."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNELSPEC})
    nbformat.write(notebook, path)
    return path


def wait_for_kernel(page: Page) -> None:
    """Until the notebook of the page is there and its kernel has nothing to do."""
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()


def open_notebook(page: Page, path: str) -> None:
    """Open a notebook by its path from the root, in a JupyterLab that was started with `expose_app_in_browser`."""
    page.evaluate(
        """path => jupyterapp.commands.execute("docmanager:open", { path, factory: "Notebook" })
          .then(panel => panel.sessionContext.ready)""",
        path,
    )
    wait_for_kernel(page)


def close_notebooks(page: Page) -> None:
    """Close what was opened, without a question about changes that are not saved."""
    page.evaluate(
        """() => {
          for (const panel of [...jupyterapp.shell.widgets("main")]) {
            if (panel.context) panel.context.model.dirty = false;
            panel.close();
          }
        }"""
    )
    page.locator(".jp-Notebook").wait_for(state="detached")


def run_all_cells(page: Page) -> None:
    """Choose Run All Cells in JupyterLab's menu."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def run_to_its_end(page: Page) -> None:
    """Choose Run All Cells, and wait for the last cell; RuntimeError where a cell before it failed."""
    run_all_cells(page)
    # A star for each cell that runs or waits, and for none after an error. The page itself looks for them: asked from
    # here, it did so five times a second, prompt by prompt.
    stars = """there => there ===
      [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].some(p => p.textContent.includes("*"))"""
    page.wait_for_function(stars, arg=True)
    page.wait_for_function(stars, arg=False, polling=500, timeout=4 * PATIENCE)
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    if not re.search(r"\d", prompts.last.inner_text()):
        raise RuntimeError("\n".join(page.locator(ERROR).all_inner_texts()))
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
