-- One row per review that counts: on a scale, and not by an account that is a bot.
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
    left join members
        on members.source = reviews.source and members.member_id = reviews.author_id
    join named_accounts
        on named_accounts.role = 'bot'
        and (named_accounts.source is null or named_accounts.source = reviews.source)
        and (
            named_accounts.account = reviews.author_id
            or lower(named_accounts.account) = trim(leading '@' from lower(members.handle))
        )
        and reviews.created_at >= named_accounts.from_at
        and reviews.created_at < named_accounts.until_at
)
select reviews.*
from reviews
left join bots
    on bots.source = reviews.source and bots.review_id = reviews.review_id
where bots.review_id is null and reviews.rating_max > 0
