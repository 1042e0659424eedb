-- One row per conversation: an episode of a thread (or sub-thread) that a member opened (a view).
-- Its days and clocks are added in conversations.
with
opened as (
    select * from calm_conversations
    union all
    select * from lively_conversations
)
select
    opened.source,
    opened.thread_id,
    opened.root_id,
    opened.episode,
    opened.message_id,
    opened.author_id,
    opened.created_at as opened_at,
    opened.direction,
    opened.kind as message_kind,
    opened.channel,
    opened.lang,
    opened.url,
    case
        when opened.direction = 'inbound' then 'inbound'
        when opened.direction = 'ambient' and opened.first_response_at is not null then 'outreach'
    end as issue_kind,
    opened.first_response_at,
    opened.first_peer_answer_at,
    opened.escalated_at,
    opened.resolved_at,
    case
        when opened.happened_at = opened.resolved_at then opened.way
        when opened.resolved_at is not null then 'assumed'
    end as resolved_by,
    case when opened.happened_at = opened.resolved_at then opened.solver_role end as solver_role,
    opened.happened_at = opened.resolved_at
        and opened.solver is not null
        and opened.solver <> opened.person as is_solved_by_another,
    opened.is_reopening,
    opened.reopened_at,
    opened.messages,
    opened.staff_messages,
    case when opened.resolved_at is null then 0 else opened.staff_messages_to_resolution end
        as staff_messages_to_resolution
from opened
