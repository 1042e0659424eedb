"""The schedule's call → every KPI and goal measured as of now."""

from muster import cloud
from muster.pipeline.measure import measure


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        found = measure(project)
    return {"values": len(found.values), "goals": len(found.goals), "problems": len(found.problems)}
