"""What MkDocs does besides: files outside of the documents become pages, and nothing is left out of the navigation.

A document may link to source code, to a test, to the README.  On the site each such file is a page under `source/`,
so that the links lead somewhere without a network.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

TOP = Path(__file__).parents[2]
LINK = re.compile(r"(?<=\]\()(?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?=[)\s])")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
LANGUAGES = {".py": "python", ".sql": "sql", ".yaml": "yaml", ".conf": "nginx", ".json": "json", ".toml": "toml"}
SOURCE = "source"


SECTIONS = {"How to": "how-to", "Reference": "reference", "Explanation": "explanation"}
"""What lies in these folders is shown in these sections, behind what mkdocs.yml names there."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add what mkdocs.yml does not name to the navigation."""
    for section in config.nav or []:
        for title, pages in section.items():
            if title in SECTIONS:
                named = {page if isinstance(page, str) else next(iter(page.values())) for page in pages}
                there = sorted((TOP / "docs" / SECTIONS[title]).glob("*.md"))
                pages += [uri for path in there if (uri := f"{SECTIONS[title]}/{path.name}") not in named]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file that a document links to; the pages of those that are documents link on."""
    waiting = [file.src_uri for file in files.documentation_pages()]
    known = {"docs/" + one for one in waiting}
    texts = {"docs/" + one: (TOP / "docs" / one).read_text() for one in waiting}
    while texts:
        place, text = texts.popitem()
        for target in targets(place, text):
            is_document = target.startswith("docs/") and (TOP / target).is_file()
            if is_document or target in known or not (TOP / target).exists():
                continue
            known.add(target)
            content = page_of(target)
            if target.endswith(".md"):
                texts[target] = content
            file = File.generated(config, uri_of(target), content=content)
            file.inclusion = InclusionLevel.NOT_IN_NAV
            files.append(file)
    for file in files.documentation_pages():
        if file.src_uri.startswith("decisions/") or "/alerts/" in file.src_uri:
            file.inclusion = InclusionLevel.NOT_IN_NAV
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that lead out of the documents to the pages made for them."""
    del config
    place = place_of(page.file.src_uri)
    kept = [one.span() for one in FENCE.finditer(markdown)]

    def mended(link: re.Match[str]) -> str:
        inside = any(start <= link.start() < end for start, end in kept)
        target = None if inside else target_of(place, link["target"])
        if target is None:
            return link.group()
        is_document = target.startswith("docs/") and (TOP / target).is_file()
        uri = target.removeprefix("docs/") if is_document else uri_of(target)
        if files.get_file_from_path(uri) is None:
            return link.group()
        anchor = link["anchor"] or ""
        return relpath(uri, str(PurePosixPath(page.file.src_uri).parent)) + anchor

    return LINK.sub(mended, markdown)


def targets(place: str, text: str) -> set[str]:
    """The files of the repository that a document links to."""
    kept = FENCE.sub("", text)
    return {found for link in LINK.finditer(kept) if (found := target_of(place, link["target"]))}


def target_of(place: str, link: str) -> str | None:
    """Where in the repository a link of the file at `place` leads; None for one that leads elsewhere."""
    if SCHEME.match(link) or link.startswith("/"):
        return None
    target = normpath(str(PurePosixPath(place).parent / link))
    return None if target.startswith("..") else target


def place_of(uri: str) -> str:
    """Where in the repository the file of a page is."""
    if uri.startswith(f"{SOURCE}/"):
        return uri.removeprefix(f"{SOURCE}/").removesuffix(".page.md")
    return f"docs/{uri}"


def uri_of(target: str) -> str:
    """Where on the site a file outside of the documents is."""
    return f"{SOURCE}/{target}.page.md"


def page_of(target: str) -> str:
    """A file, or what a folder holds, as a page."""
    path = TOP / target
    if path.is_dir():
        listed = "\n".join(f"- `{one.name}`" for one in sorted(path.iterdir()) if not one.name.startswith((".", "__")))
        return f"# {target}\n\n{listed}\n"
    text = path.read_text()
    if path.suffix == ".md":
        return text
    fence = "````" if "```" in text else "```"
    return f"# {target}\n\n{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text}\n{fence}\n"
