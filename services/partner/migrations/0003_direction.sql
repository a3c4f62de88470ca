-- It has two values, so it finds nothing faster than reading the messages does; on PostgreSQL it was chosen for lookups.
DROP INDEX messages_by_direction;
