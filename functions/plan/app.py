"""The schedule's call → the names of the sources that are due."""

from muster import cloud
from muster.pipeline.due import due


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        return {"sources": due(project)}
