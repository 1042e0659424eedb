-- One row per message of an account that the settings list: whether as a bot's, or as staff's, then.
select
    messages.source,
    messages.message_id,
    max(case when listed_accounts.role = 'bot' then 1 else 0 end) as bot,
    max(case when listed_accounts.role = 'staff' then 1 else 0 end) as staff
from messages
join listed_accounts
    on listed_accounts.source = messages.source
    and listed_accounts.member_id = messages.author_id
    and messages.created_at >= listed_accounts.from_at
    and messages.created_at < listed_accounts.until_at
group by messages.source, messages.message_id
