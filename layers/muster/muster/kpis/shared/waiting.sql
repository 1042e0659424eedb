-- One row per inbound issue that at as_of is neither answered by staff nor resolved.
select
    issues.source,
    issues.thread_id,
    issues.message_id,
    issues.opened_at,
    issues.age_seconds as waited_seconds,
    threads.title,
    coalesce(issues.url, threads.url) as url,
    coalesce(issues.channel, threads.channel) as channel
from issues
left join threads
    on threads.source = issues.source and threads.thread_id = issues.thread_id
where issues.issue_kind = 'inbound'
    and not issues.is_answered
    and issues.resolved_at is null
