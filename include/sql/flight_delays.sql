-- One row for each flight: what is known before it departs, and how late it arrived (NULL if it was
-- cancelled or diverted). The weather is that of the hour before, at the airport of departure. The
-- weather of the hour itself and the delay at departure are left out, because nobody knows them when
-- a prediction is needed.
WITH observed AS (
    -- At most one row for each airport and hour, so no flight appears twice.
    SELECT DISTINCT ON (origin, time_hour)
        origin,
        time_hour + interval '1 hour' AS time_hour,
        temp,
        humid,
        -- One hour has 1048 miles an hour: the instrument was broken.
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
