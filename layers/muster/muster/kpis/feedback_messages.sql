-- title: Feedback
-- question: How much do members tell us of what they wish?
-- definition: Members' messages in the channels, or with the tags (of the message or of its
--   thread), that the settings name as feedback.
-- unit: count
-- better: up
-- statistic: count
-- communities: product, employee, support
-- version: 1
-- table: messages
-- zero: all
-- needs: feedback

with
given as (
    select distinct human_messages.source, human_messages.message_id, human_messages.created_at
    from human_messages
    left join threads
        on threads.source = human_messages.source
        and threads.thread_id = human_messages.thread_id
    join feedback_names
        on feedback_names.name in (human_messages.channel, threads.channel)
        or list_contains(human_messages.tags, feedback_names.name)
        or list_contains(threads.tags, feedback_names.name)
    where human_messages.role = 'member'
)
-- One row per period.
select periods.period_start, 'all' as segment, count(*) as value, count(*) as n
from given
join periods
    on given.created_at >= periods.start_at and given.created_at < periods.end_at
group by periods.period_start
