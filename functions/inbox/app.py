"""A file in the inbox, or a mail that came back → rows and a receipt, or a note for the report."""

from muster import cloud
from muster.pipeline import inbox


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        if event["source"] == "aws.ses":
            return inbox.came_back(project, event["detail"])
        return inbox.receive(project, event["detail"]["object"]["key"])
