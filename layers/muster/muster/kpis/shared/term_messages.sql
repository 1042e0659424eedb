-- One row per member's scored message, subject (brand, product) and configured term that it names
-- as a whole word: the term's place is marked, then the letters around the mark are looked at.
with
naming as (
    select
        counted_messages.source,
        counted_messages.message_id,
        counted_messages.created_at,
        counted_messages.sentiment,
        -- Small letters, single blanks, plain apostrophes: as in term_spellings.
        regexp_replace(
            translate(lower(counted_messages.naming_text), '’ς', '''σ'), '\s+', ' ', 'g'
        ) as plain
    from counted_messages
    where not counted_messages.is_staff
        and counted_messages.sentiment is not null
        and counted_messages.naming_text is not null
)
select distinct
    naming.source,
    naming.message_id,
    naming.created_at,
    naming.sentiment,
    term_spellings.subject,
    term_spellings.term
from naming
join term_spellings
    on regexp_matches(
        replace(naming.plain, term_spellings.spelling, chr(1)),
        '(?:^|[^\p{L}\p{N}_\x01])\x01(?:$|[^\p{L}\p{N}_\x01])'
    )
