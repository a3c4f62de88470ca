-- One row for all that is said of a tracking number and all packages that have it. Whoever reports on the number and
-- whoever adds a package or names its carrier write it, so that of two replicas neither misses the other.
CREATE TABLE tracking_numbers (
    tracking_number TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
