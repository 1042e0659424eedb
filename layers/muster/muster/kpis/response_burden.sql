-- title: Response burden
-- question: Does the answering rest on one person?
-- definition: Of staff's messages in issues, the share that the busiest person of staff wrote.
-- unit: ratio
-- better: down
-- statistic: ratio
-- communities: support, product, employee
-- version: 2
-- table: messages
-- lowest: 0
-- highest: 1

select
    period_start,
    'all' as segment,
    cast(busiest as double) / answers as value,
    answers as n
from period_answers
