-- One row per period that a source which counts visits covers, as in covered_periods.
select distinct periods.period_start
from periods
join covered_spans
    on covered_spans.from_at < periods.start_at + interval 1 day
    and covered_spans.to_at >= periods.end_at
    and covered_spans.table_name = 'site_traffic'
join visiting_sources
    on visiting_sources.source = covered_spans.source
