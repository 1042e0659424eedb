-- One row per thread, local day and staff's person: the messages written in issues (kept by thread).
with
issues as (
    select
        told_roots.root_number, conversations.episode, conversations.source, conversations.thread_id
    from conversations
    join told_roots
        on told_roots.source = conversations.source and told_roots.root_id = conversations.root_id
    where conversations.issue_kind is not null
)
select
    issues.source, issues.thread_id, episode_messages.day, episode_messages.person,
    count(*) as answers
from episode_messages
join issues
    on issues.root_number = episode_messages.root_number
    and issues.episode = episode_messages.episode
where episode_messages.is_staff
    and episode_messages.author_id is not null
    and episode_messages.day is not null
group by issues.source, issues.thread_id, episode_messages.day, episode_messages.person
