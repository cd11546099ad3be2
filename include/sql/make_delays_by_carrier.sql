-- The mart that merge keeps up to date, with the key that merge goes by. One statement: all or
-- nothing. The schema is only made where it is missing, for that is a right not every role has.
DO $$
BEGIN
    IF to_regnamespace('marts') IS NULL THEN
        CREATE SCHEMA marts;
    END IF;
    IF to_regclass('marts.delays_by_carrier') IS NULL THEN
        CREATE TABLE marts.delays_by_carrier (
            carrier text NOT NULL,
            airline text NOT NULL,
            year smallint NOT NULL,
            month smallint NOT NULL,
            flights bigint NOT NULL,
            cancelled bigint NOT NULL,
            mean_dep_delay numeric(8, 2),
            mean_arr_delay numeric(8, 2),
            p90_arr_delay numeric(8, 1),
            late bigint NOT NULL,
            PRIMARY KEY (carrier, year, month)
        );
    END IF;
END
$$
