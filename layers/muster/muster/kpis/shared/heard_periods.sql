-- One row per period of whose messages we know: members wrote, or a success covers it.
select period_start from period_writers
union
select period_start from covered_periods where table_name = 'messages'
