//! What commits leave for later: folding the WAL into the file, and giving space back.

use std::time::Duration;

use rusqlite::Connection;

use super::error::translate;
use crate::error::Result;

/// How many pages of WAL are let come together (16 MiB) before they are folded into the file.
const WAL_PAGES: i64 = 4096;

/// Folds the WAL into the file when it has grown, as far as readers allow.
pub(super) fn tidy(connection: &mut Connection) -> Result<()> {
    let failed = |e| translate("folding the WAL into the store", e);
    let pages = |mode: &str| {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        connection
            .prepare_cached(&sql)?
            .query_row((), |row| row.get::<_, i64>(1))
    };
    if pages("NOOP").map_err(failed)? >= WAL_PAGES {
        pages("PASSIVE").map_err(failed)?;
    }
    Ok(())
}

/// Frees pages that packing emptied, and folds the WAL into the file as far as readers allow: it does
/// not wait for them, for some read for long.
pub(super) fn settle(connection: &mut Connection, busy_timeout: Duration) -> Result<()> {
    let failed = |e| translate("giving space back", e);
    let mut vacuum = connection
        .prepare("PRAGMA incremental_vacuum")
        .map_err(failed)?;
    let mut steps = vacuum.query(()).map_err(failed)?;
    while steps.next().map_err(failed)?.is_some() {}
    drop(steps);
    drop(vacuum);
    connection.busy_timeout(Duration::ZERO).map_err(failed)?;
    let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    folded.map_err(failed)
}
