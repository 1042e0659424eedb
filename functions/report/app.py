"""A report's name, or none → the site published, and whom to mail; with a reader → their mail."""

from muster import cloud
from muster.pipeline import publish


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        if "recipient" in event:
            return cloud.delivered(publish.deliver(project, event["report"], event["recipient"]))
        publish.publish_site(project)
        names = [event["report"]] if "report" in event else []
        found = publish.recipients(project, names) if names else ()
    return {"mails": [{"report": report, "recipient": reader} for report, reader in found]}
