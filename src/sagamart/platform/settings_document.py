"""The settings as a document: one table for each section, read off the structs."""

from itertools import groupby

from sagamart.platform.settings import CONFIG, Section, Setting, settings_of

_HEAD = f"""\
# Settings

Written by `sagamart settings --markdown` from the code; a test compares. A setting is an environment variable, or
stands in the TOML file that `{CONFIG}` names: `SAGAMART_HTTP_PORT=8080` is `port = 8080` under `[http]`. The
environment goes first. A name that does not exist or a value of the wrong kind ends the start with a sentence that says
what is right. Secrets are never shown.
"""


def settings_document(kind: type[Section]) -> str:
    """The document, in Markdown."""
    parts = [_HEAD]
    for section, settings in groupby(sorted(settings_of(kind), key=_section), key=_section):
        parts.append(f"## {'[' + section + ']' if section else 'Of the process'}\n")
        rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
        rows += [_row(one) for one in settings]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _section(setting: Setting) -> str:
    return ".".join(setting.path[:-1])


def _row(setting: Setting) -> str:
    default = "secret" if setting.secret else f"`{setting.default}`" if setting.default else "empty"
    kind = setting.type.replace("|", "\\|")
    meaning = setting.meaning.replace("|", "\\|")
    return f"| `{setting.variable}` | {kind} | {default} | {meaning} |"
