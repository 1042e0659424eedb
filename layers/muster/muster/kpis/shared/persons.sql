-- One row per account of which it is known whose it is (a view).
select source, member_id, person_id from marked_accounts where person_id is not null
