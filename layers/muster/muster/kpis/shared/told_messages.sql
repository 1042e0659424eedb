-- One row per judged message, with its person and role by name (a view).
select
    judged_messages.*,
    coalesce(
        'person ' || person_id,
        'account ' || source || ' ' || author_id,
        'hidden ' || source || ' ' || message_id
    ) as person,
    case when is_bot then 'bot' when is_staff then 'staff' else 'member' end as role
from judged_messages
