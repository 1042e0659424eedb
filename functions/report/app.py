"""A report's name → the site and whom to mail; none → site and alerts; a reader → their mail."""

from muster import cloud
from muster.pipeline import alerts, publish


@cloud.logged
def handler(event, context):
    with cloud.opened() as project:
        if "recipient" in event:
            return cloud.delivered(publish.deliver(project, event["report"], event["recipient"]))
        publish.publish_site(project)
        if "report" not in event:  # the nightly look, between reports
            return {"mails": [], **cloud.alerted(alerts.alert(project, send=True))}
        found = publish.recipients(project, [event["report"]])
    return {"mails": [{"report": report, "recipient": reader} for report, reader in found]}
