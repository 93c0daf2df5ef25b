//! The rows that a repair replaces, kept as they stood.

use std::path::PathBuf;

use crate::durable;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::Rows;

impl Engine {
    /// Writes the rows to a file beside the store, as they stand in its tables: what is sealed there is sealed here.
    pub(super) fn keep_aside<'r>(
        &self,
        rows: impl Iterator<Item = &'r Rows>,
    ) -> Result<Option<PathBuf>> {
        // Beside a file that is on no disk of the system's, there is no place.
        let Some(sqlite) = self.sqlite().filter(|it| !it.is_virtual()) else {
            return Ok(None);
        };
        let lines = sqlite.as_they_stand(rows)?;
        if lines.is_empty() {
            return Ok(None);
        }
        let stamp = self.now().strftime("%Y%m%dT%H%M%S");
        for count in 0..10_000 {
            let mut name = sqlite.path().as_os_str().to_owned();
            let suffix = if count == 0 {
                String::new()
            } else {
                format!("-{count}")
            };
            name.push(format!(".replaced-{stamp}{suffix}.jsonl"));
            let path = PathBuf::from(name);
            let written = durable::write_new(&path, &lines);
            if written.map_err(|e| e.context("keeping the rows that are to be replaced"))? {
                return Ok(Some(path));
            }
        }
        Err(Error::conflict(
            "there are too many files of replaced rows beside the store",
        ))
    }
}
