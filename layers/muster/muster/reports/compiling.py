"""Every template of ours → its bytecode, where the layer is built (``layers/muster/Makefile``)."""

from __future__ import annotations

from jinja2.bccache import Bucket

from muster.reports import templating
from muster.reports.compiled import FOLDER, Compiled

KINDS = ("email", "site")


class _Kept(Compiled):
    def dump_bytecode(self, bucket: Bucket) -> None:
        (FOLDER / bucket.key).write_bytes(bucket.bytecode_to_string())


def main() -> None:
    """Compile every template of the package this is called in."""
    FOLDER.mkdir(exist_ok=True)
    for kind in KINDS:
        environment = templating.environment(kind)
        environment.bytecode_cache = _Kept()
        for name in environment.list_templates(extensions=("html", "txt")):
            environment.get_template(name)


if __name__ == "__main__":
    main()
