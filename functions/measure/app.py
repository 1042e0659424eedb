"""The schedule's call → every KPI and goal measured as of now, and the tables Athena sees."""

import os

from muster import cloud, services, unneeded
from muster.pipeline import athena
from muster.pipeline.measure import measure

unneeded.hide()


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        found = measure(project)
        changed = athena.sync_lake(project, services.client("glue"), os.environ["MUSTER_CATALOGUE"])
    return {
        "values": len(found.values),
        "goals": len(found.goals),
        "problems": len(found.problems),
        "stale": sum(one.is_stale for one in found.sources),
        "tables": changed,
    }
