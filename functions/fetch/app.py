"""The name of a source → what was fetched of it, and whether to go on after a wait."""

from muster import cloud
from muster.pipeline.collect import fetch
from muster.sources._http import Http


@cloud.logged
def handler(event, context):
    http = Http(deadline=cloud.deadline(context), timeout=cloud.PATIENCE)
    with cloud.opened(http=http) as project:
        (fetched,) = fetch(project, [event["source"]])
    return cloud.progress(fetched, http)
