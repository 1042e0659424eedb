-- title: Response burden
-- question: Does the answering rest on one person?
-- definition: Of staff's messages in issues, the share that the busiest person of staff wrote.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: support, product, employee
-- version: 1
-- table: messages
-- lowest: 0
-- highest: 1

with
answered as (
    select periods.period_start, episodes.person, count(*) as answers
    from episodes
    join issues
        on issues.source = episodes.source
        and issues.root_id = episodes.root_id
        and issues.episode = episodes.episode
    join periods
        on episodes.created_at >= periods.start_at and episodes.created_at < periods.end_at
    where episodes.is_staff and episodes.author_id is not null
    group by periods.period_start, episodes.person
)
-- One row per period.
select
    period_start,
    'all' as segment,
    cast(max(answers) as double) / sum(answers) as value,
    sum(answers) as n
from answered
group by period_start
