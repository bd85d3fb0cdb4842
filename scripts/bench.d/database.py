"""The database of a copy, as the benchmarks use it."""

import os
import subprocess
from pathlib import Path


def sql(instance, text):
    psql = Path(os.environ.get("LEYDEN_POSTGRES_BIN", "/usr/lib/postgresql/15/bin")) / "psql"
    run = subprocess.run(
        [psql, instance.dsn, "-XqAt", "-v", "ON_ERROR_STOP=1"], input=text, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"psql: {run.stderr.strip()}")
    return run.stdout.strip()


def recycle_wal(instance, segments=48):
    """As in a database that has run for a while, whose checkpoints give old segments of the WAL a new name. A fresh one fills
    each new segment with zeros first, and every commit waits for that: some 60 ms for every 16 MB."""
    sql(instance, "ALTER SYSTEM SET min_wal_size = '1GB'; SELECT pg_reload_conf()")
    for _ in range(segments):
        sql(instance, "SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
    sql(instance, "CHECKPOINT; CHECKPOINT")
