-- One row per review that counts: still there, on its own scale, and not by an account that is a
-- bot.
with
bots as (
    select distinct reviews.source, reviews.review_id
    from reviews
    join members
        on members.source = reviews.source and members.member_id = reviews.author_id
    where members.is_bot or members.role = 'bot'
    union
    select reviews.source, reviews.review_id
    from reviews
    join listed_accounts
        on listed_accounts.source = reviews.source
        and listed_accounts.member_id = reviews.author_id
        and listed_accounts.role = 'bot'
        and reviews.created_at >= listed_accounts.from_at
        and reviews.created_at < listed_accounts.until_at
    union
    select reviews.source, reviews.review_id
    from reviews
    join suspected_accounts
        on suspected_accounts.source = reviews.source
        and suspected_accounts.member_id = reviews.author_id
)
select reviews.*
from reviews
left join bots
    on bots.source = reviews.source and bots.review_id = reviews.review_id
where bots.review_id is null
    and reviews.rating_max > 0
    and reviews.rating >= 0
    and reviews.rating <= reviews.rating_max
    and (reviews.deleted_at is null or reviews.deleted_at >= $as_of)
