"""``sam`` as ``muster deploy`` finds it → the real SAM; what it deploys runs as on Lambda, here.

``build`` is passed on as it is. At ``deploy`` the functions of what was built are given Lambda's
own runtime (see localize.py): the one thing that is not as in an account. Where the real SAM is and
where deployed copies go is told by the environment.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from localize import Runtime, localize


def main() -> None:
    """Run in the clone, as SAM is."""
    verb, *words = sys.argv[1:]
    sam, work = os.environ["MUSTER_REAL_SAM"], Path(os.environ["MUSTER_WORK"])
    if verb == "deploy":
        found = json.loads(os.environ["MUSTER_RUNTIME"])
        runtime = Runtime(Path(found["python"]), Path(found["packages"]), found["version"])
        # A folder for each deploy: functions of the one before may still run from theirs.
        folder = work / f"deployed-{len(list(work.glob('deployed-*'))) + 1}"
        template = localize(Path(".aws-sam/build"), folder, runtime, work / "callers.txt")
        # SAM looks for its settings beside the template, and this one lies elsewhere.
        settings = str(Path("samconfig.toml").absolute())
        words += ["--template-file", str(template), "--config-file", settings]
    os.execv(sam, [sam, verb, *words])


if __name__ == "__main__":
    main()
