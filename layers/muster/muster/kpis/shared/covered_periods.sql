-- One row per period and table of which a success covers the whole period: nothing found means
-- that there was nothing. So does one that begins on its first day: an import vouches from its
-- first row.
select distinct periods.period_start, covered_spans.table_name
from periods
join covered_spans
    on covered_spans.from_at < periods.start_at + interval 1 day
    and covered_spans.to_at >= periods.end_at
