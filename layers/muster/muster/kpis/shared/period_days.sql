-- One row per period and local day of it.
select distinct periods.period_start, day_spans.day
from periods
join day_spans
    on day_spans.day >= periods.period_start and day_spans.day < periods.end_on
