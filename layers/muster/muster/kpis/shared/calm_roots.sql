-- One row per root whose story is one episode (a view).
select * from root_stories where is_calm
