-- One row per local day and staff's person: the messages written in issues.
select episodes.day, episodes.person, count(*) as answers
from episodes
join issues
    on issues.source = episodes.source
    and issues.root_id = episodes.root_id
    and issues.episode = episodes.episode
where episodes.is_staff and episodes.author_id is not null and episodes.day is not null
group by episodes.day, episodes.person
