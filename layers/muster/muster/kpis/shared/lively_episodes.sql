-- One row per human message below a root that is not calm: its place in its conversation and the
-- episode it belongs to (0 before any opener). Episodes without a sequential loop: a member's message opens one if it is
-- the first, if a resolution lies between the member's message before it and it, or if it follows
-- the gap of silence and staff wrote since the last message that could have opened.
-- "Asks" means a member's message that is no closing phrase.
with
lively as (
    select
        root_stories.root_number,
        root_stories.quiet_seconds,
        root_stories.sent_away_at,
        source_settings.episode_gap,
        lost_questions.message_id is not null as has_lost_question
    from root_stories
    join told_roots
        on told_roots.root_number = root_stories.root_number
    left join source_settings
        on source_settings.source = told_roots.source
    left join lost_questions
        on lost_questions.source = told_roots.source
        and lost_questions.message_id = told_roots.root_id
    where not root_stories.is_calm
),
placed as (
    select
        lively.root_number,
        row_number() over (
            partition by lively.root_number
            order by counted_messages.created_at, counted_messages.message_id
        ) as place,
        lively.quiet_seconds,
        case when counted_messages.is_direct then $episode_gap else lively.episode_gap end
            as gap_seconds,
        lively.has_lost_question,
        counted_messages.source,
        counted_messages.message_id,
        counted_messages.person,
        counted_messages.author_id,
        counted_messages.created_at,
        counted_messages.day,
        counted_messages.is_staff,
        not counted_messages.is_staff and not counted_messages.is_closing as is_asking,
        -- By its words or tag, or by the thread's tag.
        counted_messages.is_escalating or (
            counted_messages.is_staff
            and coalesce(counted_messages.created_at = lively.sent_away_at, false)
        ) as is_escalating
    from counted_messages
    join lively
        on lively.root_number = counted_messages.root_number
),
-- What the windows need, and no texts: these are put beside them again at the end.
seen as (
    select
        root_number,
        place,
        quiet_seconds,
        gap_seconds,
        has_lost_question,
        created_at,
        is_staff,
        is_asking,
        is_escalating,
        lag(created_at) over (partition by root_number order by place) as before_at,
        max(case when is_asking then created_at end) over (
            partition by root_number order by place
            rows between unbounded preceding and 1 preceding
        ) as asked_at,
        coalesce(max(case when is_asking then place end) over (
            partition by root_number order by place
            rows between unbounded preceding and 1 preceding
        ), 0) as asked_place,
        min(case when is_staff or is_asking then created_at end) over (
            partition by root_number order by place
            rows between 1 following and unbounded following
        ) as next_at,
        count(case when is_staff then 1 end) over (
            partition by root_number order by place
            rows between unbounded preceding and current row
        ) as staff_so_far
    from placed
),
-- Members' messages with an explicit resolution since the one before them.
after_resolution as (
    select distinct seen.root_number, seen.place
    from seen
    join resolutions
        on resolutions.root_number = seen.root_number
        and resolutions.happened_at < seen.created_at
        and (seen.asked_at is null or resolutions.happened_at >= seen.asked_at)
    where seen.is_asking
),
marked as (
    select
        seen.*,
        -- The first to ask opens, unless staff's answer has outlived a deleted question.
        seen.is_asking and seen.asked_place = 0
            and not (seen.has_lost_question and seen.staff_so_far > 0) as is_first,
        after_resolution.place is not null as is_after_resolution,
        seen.is_asking and coalesce(
            date_diff('millisecond', seen.before_at, seen.created_at) / 1000.0 >= seen.gap_seconds,
            false
        ) as is_after_gap,
        seen.is_staff
            and seen.created_at + interval 1 second * seen.quiet_seconds < $as_of
            and coalesce(
                seen.next_at > seen.created_at + interval 1 second * seen.quiet_seconds, true
            )
            as is_quiet
    from seen
    left join after_resolution
        on after_resolution.root_number = seen.root_number and after_resolution.place = seen.place
),
-- An escalation bars assumed resolution until the next opener; one that comes after quiet hours
-- already over changes nothing.
barred as (
    select
        *,
        is_escalating and coalesce(max(case when is_quiet then place end) over (
            partition by root_number order by place
            rows between unbounded preceding and 1 preceding
        ), 0) <= asked_place as is_barring
    from marked
),
quieted as (
    select
        *,
        is_quiet
            and coalesce(max(case when is_barring then place end) over (
                partition by root_number order by place
                rows between unbounded preceding and current row
            ), 0)
            <= coalesce(max(
                case when is_first or is_after_resolution or is_after_gap then place end
            ) over (
                partition by root_number order by place
                rows between unbounded preceding and current row
            ), 0) as is_assumed
    from barred
),
resolved as (
    select
        *,
        is_after_resolution or (
            is_asking and coalesce(max(case when is_assumed then place end) over (
                partition by root_number order by place
                rows between unbounded preceding and 1 preceding
            ), 0) > asked_place
        ) as is_after_end
    from quieted
),
candidates as (
    select
        *,
        coalesce(max(
            case when is_first or is_after_end or is_after_gap then staff_so_far end
        ) over (
            partition by root_number order by place
            rows between unbounded preceding and 1 preceding
        ), 0) as staff_before
    from resolved
),
opening as (
    select
        *,
        is_first or is_after_end or (is_after_gap and staff_so_far > staff_before) as is_opening
    from candidates
),
counted as (
    select
        *,
        count(case when is_opening then 1 end) over (
            partition by root_number order by place
            rows between unbounded preceding and current row
        ) as episode
    from opening
)
select
    placed.root_number, placed.source, placed.message_id, placed.person, placed.author_id,
    placed.created_at, placed.day, placed.is_staff, placed.is_asking, placed.is_escalating,
    placed.quiet_seconds, placed.place, counted.is_opening,
    counted.is_opening and counted.is_after_end and not counted.is_first as is_reopening,
    counted.episode
from counted
join placed
    on placed.root_number = counted.root_number and placed.place = counted.place
