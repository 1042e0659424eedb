-- One row per source whose site traffic counts visits or what visitors buy. One that only counts
-- leads (a CRM) tells nothing of them, not that there were none.
select distinct source
from site_traffic
where sessions > 0 or visitors > 0 or add_to_carts > 0 or purchases > 0
