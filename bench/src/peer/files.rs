//! Counting what lies in a folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The lengths of all files below `folder`, added up. Folders and the rounding up to disk blocks
/// are not counted, which is kind to peers with many small files.
pub fn bytes_below(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let entry = entry?;
        let meta = entry.metadata()?;
        sum += if meta.is_dir() {
            bytes_below(&entry.path())?
        } else {
            meta.len()
        };
    }
    Ok(sum)
}
