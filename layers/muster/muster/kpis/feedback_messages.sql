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
-- from_days: sum
-- zero: all
-- needs: feedback

with
named_threads as (
    select distinct threads.source, threads.thread_id
    from threads
    join feedback_names
        on feedback_names.name = threads.channel
        or list_contains(threads.tags, feedback_names.name)
),
given as (
    select human_messages.source, human_messages.message_id, human_messages.day
    from human_messages
    join feedback_names
        on feedback_names.name = human_messages.channel
        or list_contains(human_messages.tags, feedback_names.name)
    where human_messages.role = 'member'
    union
    select human_messages.source, human_messages.message_id, human_messages.day
    from human_messages
    join named_threads
        on named_threads.source = human_messages.source
        and named_threads.thread_id = human_messages.thread_id
    where human_messages.role = 'member'
)
-- One row per period.
select period_days.period_start, 'all' as segment, count(*) as value, count(*) as n
from given
join period_days
    on period_days.day = given.day
group by period_days.period_start
