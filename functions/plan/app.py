"""The schedule's call → the sources that are due; the reports' schedules as the settings say."""

from muster import cloud
from muster.pipeline.due import plan


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        found = plan(project)
        return {
            "sources": found.sources,
            "lag": found.lag,
            "problems": cloud.keep_schedules(project),
        }
