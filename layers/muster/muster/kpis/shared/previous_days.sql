-- One row per period and local day of the period before.
select distinct periods.period_start, day_spans.day
from periods
join day_spans
    on day_spans.day >= periods.previous_start and day_spans.day < periods.period_start
