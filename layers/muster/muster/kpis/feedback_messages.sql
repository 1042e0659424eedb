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
-- lowest: 0
-- zero: all
-- needs: feedback

select
    period_days.period_start,
    'all' as segment,
    sum(thread_feedback.messages) as value,
    sum(thread_feedback.messages) as n
from thread_feedback
join period_days
    on period_days.day = thread_feedback.day
group by period_days.period_start
