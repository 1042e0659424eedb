-- One row per account of which it is known whose it is.
select source, member_id, person_id from members where person_id is not null
