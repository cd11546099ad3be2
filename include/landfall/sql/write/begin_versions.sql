INSERT INTO {target} ({columns}, _valid_from, _valid_to, _is_current) OVERRIDING SYSTEM VALUE
SELECT
    {values},
    timeline._load_moment,
    timeline._load_ends,
    timeline._load_ends IS NULL
FROM {timeline} AS timeline
INNER JOIN {incoming} AS i ON timeline.{number} = i.{number}
WHERE timeline._load_source = 2 AND NOT timeline._load_closes
