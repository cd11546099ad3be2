-- One row a flight: what is known of it before it departs, and how late it arrived (NULL for one
-- that was cancelled or diverted). The weather is of the hour before, at the airport of departure:
-- that of the hour itself, and the delay at departure, are not known when one would ask.
WITH observed AS (
    -- At most one row an hour and airport, so no flight is there twice.
    SELECT DISTINCT ON (origin, time_hour)
        origin,
        time_hour + interval '1 hour' AS time_hour,
        temp,
        humid,
        -- One hour says 1048 miles an hour: a broken instrument.
        CASE WHEN wind_speed <= 200 THEN wind_speed END AS wind_speed,
        precip,
        pressure,
        visib
    FROM {{weather}}
    ORDER BY origin, time_hour, precip DESC, visib
)
SELECT
    make_date(flights.year, flights.month, flights.day) AS flight_date,
    flights.carrier,
    flights.flight,
    flights.origin,
    flights.dest,
    flights.distance,
    (flights.hour * 60 + flights.minute)::smallint AS departure_minute,
    extract(isodow FROM make_date(flights.year, flights.month, flights.day))::smallint AS weekday,
    observed.temp,
    observed.humid,
    observed.wind_speed,
    observed.precip,
    observed.pressure,
    observed.visib,
    flights.arr_delay
FROM {{flights}} AS flights
LEFT JOIN observed USING (origin, time_hour)
