"""What the documents name exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(
    r"(?<![\w/.])((?:dedup2d|flows|tasks|blocks|tests|deployments|docs|benchmarks)/[\w./-]+)"
)


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "deployments/README.md"])
def test_every_file_that_a_document_names_exists(document: str) -> None:
    named = set(NAMED.findall((ROOT / document).read_text()))
    base = (ROOT / document).parent
    missing = {n for n in named if not (ROOT / n.rstrip(".")).exists() and not (base / n).exists()}
    assert not missing
    assert named or document != "ARCHITECTURE.md"


def test_links_of_the_documents_lead_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|data:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_makefile_and_readme_have_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_lock_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "--index-url" not in lock
    assert "--find-links" not in lock
    assert "://" not in lock
