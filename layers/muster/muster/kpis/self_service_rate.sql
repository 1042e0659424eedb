-- title: Self-service rate
-- question: How often does the community solve it by itself?
-- definition: Issues solved by another member's message, divided by issues resolved by an
--   accepted solution.
-- unit: ratio
-- better: up
-- statistic: ratio
-- communities: support, product, employee
-- version: 2
-- table: messages
-- from_days: mean
-- lowest: 0
-- highest: 1

-- One row per period.
select
    period_start,
    'all' as segment,
    avg(case when is_solved_by_another and solver_role = 'member' then 1.0 else 0.0 end) as value,
    count(*) as n
from resolved_issues
where resolved_by = 'solution'
group by period_start
