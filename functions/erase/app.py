"""A source and a member's id → the member erased everywhere, for good."""

from dataclasses import asdict

from muster import cloud
from muster.pipeline.erase import erase


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        return asdict(erase(project, event["source"], event["member"]))
