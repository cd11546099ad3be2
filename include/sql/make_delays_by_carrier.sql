-- Creates the mart, with the primary key by which merge finds its rows. It is one statement, so it
-- takes effect completely or not at all. It creates the schema only if there is none, because not
-- every role may create one.
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
