-- One row per period and source which counts visits and covers it, as in covered_periods.
select distinct periods.period_start, visiting_sources.source
from periods
join covered_spans
    on covered_spans.from_at < periods.start_at + interval 1 day
    and covered_spans.to_at >= periods.end_at
    and covered_spans.table_name = 'site_traffic'
join visiting_sources
    on visiting_sources.source = covered_spans.source
