-- One row per account of which more is known than that it exists: whose it is, or that it is a bot's.
-- Most are neither, and who looks for these need not look through all.
select source, member_id, person_id, coalesce(is_bot, false) or role = 'bot' as is_bot
from members
where person_id is not null or is_bot or role = 'bot'
