"""The engine: files from S3 into Postgres, exactly once, atomically.

Plain Python. It imports neither Airflow nor astro, and runs from a shell:
`python -m include.landfall --help`.
"""

import os

# pyarrow 25 ends the process when the thread that imported it is gone and another one allocates
# by mimalloc, its default: https://github.com/apache/arrow/issues/50471. Tasks load in threads.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
