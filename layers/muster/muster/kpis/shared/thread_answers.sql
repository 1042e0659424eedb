-- One row per thread, local day and staff's person: the messages written in issues (kept by thread).
select
    episodes.source, episodes.thread_id, episodes.day, episodes.person, count(*) as answers
from episodes
join conversations
    on conversations.source = episodes.source
    and conversations.root_id = episodes.root_id
    and conversations.episode = episodes.episode
where episodes.is_staff
    and episodes.author_id is not null
    and episodes.day is not null
    and conversations.issue_kind is not null
group by episodes.source, episodes.thread_id, episodes.day, episodes.person
