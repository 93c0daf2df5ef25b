//! `dalsegno backup list`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::line;
use crate::failure::Result;
use crate::human;
use crate::output::Out;

/// List the backups in a folder, the oldest first
///
/// What they say of themselves is read, which needs no key. That all of each is there, `backup verify` proves.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno backup list /mnt/backups
  dalsegno backup list /mnt/backups --json | jq '.complete[-1].taken_at'")]
pub(crate) struct List {
    /// A folder of backups, or one archive
    #[arg(value_name = "FOLDER|FILE")]
    path: PathBuf,
}

impl List {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        let found = dalsegno::list_backups(&self.path)?;
        if out.is_json() {
            return out.json(&json!(found));
        }
        if found.complete.is_empty() {
            out.line("there is no complete backup")?;
        }
        for backup in &found.complete {
            out.line(line(backup))?;
        }
        for path in &found.unfinished {
            let path = human::safe(&path.display().to_string());
            out.line(format!("unfinished, does not count: {path}"))?;
        }
        for unreadable in &found.unreadable {
            let why = human::safe(&unreadable.why.to_string());
            out.line(format!("unreadable, does not count: {why}"))?;
        }
        Ok(())
    }
}
