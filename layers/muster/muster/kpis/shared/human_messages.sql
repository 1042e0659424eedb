-- One row per message that counts: written by a member or staff, not deleted.
with
human as (
    select roles.*, roots.root_id
    from roles
    join roots
        on roots.source = roles.source and roots.message_id = roles.message_id
    where not roles.is_deleted and roles.role in ('member', 'staff')
),
escalation_tagged as (
    select distinct human.source, human.message_id
    from human
    join escalation_tags
        on list_contains(human.tags, escalation_tags.tag)
        and (escalation_tags.source is null or escalation_tags.source = human.source)
)
select
    human.*,
    human.role = 'staff' as is_staff,
    -- A thank-you: no question mark, at most 12 words, a closing phrase of its language.
    human.role = 'member'
        and coalesce(
            not regexp_matches(human.text, '[?？؟]')
                and regexp_matches(human.text, '^\s*(\S+\s+){0,11}\S*\s*$')
                and (
                    regexp_matches(
                        human.lang || ' '
                            || regexp_replace(human.text, $thanks_in_advance, ' ', 'g'),
                        $closing_phrases
                    )
                    or regexp_matches(
                        human.source || chr(10) || human.lang || ' '
                            || regexp_replace(human.text, $thanks_in_advance, ' ', 'g'),
                        $own_closing_phrases
                    )
                ),
            false
        ) as is_closing,
    human.role = 'staff'
        and (
            escalation_tagged.message_id is not null
            or coalesce(regexp_matches(human.text, $escalation), false)
            or coalesce(
                regexp_matches(human.source || chr(10) || human.text, $own_escalation), false
            )
        ) as is_escalating
from human
left join escalation_tagged
    on escalation_tagged.source = human.source
    and escalation_tagged.message_id = human.message_id
