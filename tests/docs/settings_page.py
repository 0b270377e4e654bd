"""Writes docs/configuration.md from the settings' own descriptions: ``python -m tests.docs.settings_page``."""

import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edge.config import OfficeConfig, TerminalConfig, UplinkConfig

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
FILES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("terminal.toml", TerminalConfig),
    ("uplink.toml", UplinkConfig),
    ("office.toml", OfficeConfig),
)


def page() -> str:
    """The whole page; a test compares it with the committed one."""
    parts = [
        "# Every setting\n\n"
        "Made from `edge/config.py` by `python -m tests.docs.settings_page`; a test fails when it is old.\n"
        "`anxin provision dev SITE_DIR` writes all three files. Unknown keys are refused with exit code 10.\n"
        "Relative paths start at the file's own folder.\n"
    ]
    for name, model in FILES:
        lead = " ".join((model.__doc__ or "").split())
        head = f"\n## {name}\n\n{lead}\n\n| key | default | meaning |\n|---|---|---|\n"
        parts.append(head + "".join(_rows(model, "")))
    return "".join(parts)


def _rows(model: type[BaseModel], prefix: str) -> list[str]:
    rows: list[str] = []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            rows += _rows(field.annotation, f"{prefix}{name}.")
        else:
            rows.append(f"| `{prefix}{name}` | {_default(field)} | {_cell(field)} |\n")
    return rows


def _cell(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _default(field: FieldInfo) -> str:
    return "must be given" if field.is_required() else ("none" if field.default is None else f"`{field.default}`")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"settings: {PAGE} written\n")
