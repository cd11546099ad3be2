-- The key by which these loads have merged, where it has other columns than this one.
SELECT ARRAY(SELECT jsonb_object_keys(kept.key)) AS names
FROM landfall.replaced AS kept
WHERE
    kept.load_id = ANY({load_ids}::bigint [])
    AND (kept.key - {key}::text [] <> '{{}}' OR NOT kept.key ?& {key}::text [])
LIMIT 1
