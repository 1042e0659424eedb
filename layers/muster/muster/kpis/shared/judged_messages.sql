-- One row per message written before the run's as_of, deleted ones and bots' included: in which role
-- it was written, what its text says, and the root of its conversation. Narrow, since it is stored:
-- texts that follow from others are put beside them in told_messages and human_messages.
with
placed as (
    select
        roles.*,
        coalesce(roots.root_number, thread_openings.thread_number) as root_number,
        roles.message_id = coalesce(roots.root_id, thread_openings.message_id) as is_root,
        -- Whether the person who opened the thread wrote it; not told below an announcement.
        case when roots.root_id is null then roles.person = thread_openings.person end
            as is_by_opener,
        roots.root_id is null and thread_openings.is_topic as is_topic
    from roles
    join thread_openings
        on thread_openings.source = roles.source and thread_openings.thread_id = roles.thread_id
    left join roots
        on roots.source = roles.source and roots.message_id = roles.message_id
),
-- What its text says: asked here alone, since to plan such an expression takes milliseconds.
judged as (
    select
        placed.*,
        -- A thank-you: no question mark, at most 12 words, a closing phrase of its language. Each
        -- test only where the ones before it hold: the last is the dear one.
        case
            when role <> 'member' or text is null then false
            when text like '%?%' or text like '%？%' or text like '%؟%' then false
            when not regexp_matches(text, '^\s*(\S+\s+){0,11}\S*\s*$') then false
            else coalesce(
                regexp_matches(
                    lang || ' ' || regexp_replace(text, $thanks_in_advance, ' ', 'g'),
                    $closing_phrases
                ), false
            ) or coalesce(
                regexp_matches(
                    source || chr(10) || lang || ' '
                        || regexp_replace(text, $thanks_in_advance, ' ', 'g'),
                    $own_closing_phrases
                ), false
            )
        end as is_closing,
        case
            when role <> 'staff' or text is null then false
            else coalesce(regexp_matches(text, $escalation), false)
                or coalesce(regexp_matches(source || chr(10) || text, $own_escalation), false)
        end as is_sending_away,
        -- The text, if a member's and it names a brand or product term.
        case
            when role = 'member' and regexp_matches(text, $naming_terms) then text
        end as naming_text
    from placed
)
select
    judged.root_number,
    judged.source,
    judged.message_id,
    judged.parent_id,
    judged.author_id,
    judged.person_id,
    judged.role = 'staff' as is_staff,
    judged.role = 'bot' as is_bot,
    judged.is_deleted,
    judged.is_root,
    judged.is_by_opener,
    -- Who opens a topic or ticket asks, and who begins with a plea, thanks or not.
    case
        when judged.is_closing and judged.is_root
            then not judged.is_topic and not regexp_matches(judged.text, $pleas)
        else judged.is_closing
    end as is_closing,
    judged.role = 'staff'
        and (judged.is_sending_away or escalation_tagged.message_id is not null) as is_escalating,
    judged.is_solution,
    judged.kind = 'direct' as is_direct,
    judged.kind in ('post', 'quote') as is_post,
    judged.created_at,
    judged.day,
    judged.kind,
    judged.direction,
    judged.channel,
    judged.tags,
    judged.url,
    judged.lang,
    judged.text,
    judged.naming_text,
    judged.sentiment
from judged
left join escalation_tagged
    on escalation_tagged.source = judged.source
    and escalation_tagged.message_id = judged.message_id
