//! `dalsegno backup list`

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use dalsegno::Backups;
use serde_json::json;

use super::{line, short};
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
        let missing = self.missing(&found)?;
        if out.is_json() {
            let mut all = json!(found);
            let named: Vec<_> = missing
                .iter()
                .map(|(backup, needs)| json!({"backup": backup, "needs": needs}))
                .collect();
            all["missing"] = named.into();
            return out.json(&all);
        }
        if found.complete.is_empty() {
            out.line("there is no complete backup")?;
        }
        for backup in &found.complete {
            out.line(line(backup))?;
            for id in missing.iter().filter(|it| it.0 == backup.id).map(|it| it.1) {
                let where_not = if found.unreadable.is_empty() {
                    "not here: it cannot be restored"
                } else {
                    "not here, or cannot be read"
                };
                out.line(format!("  needs {}, which is {where_not}", short(id)))?;
            }
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

    /// Which backups need which others that are not in their folder.
    fn missing<'a>(&self, found: &'a Backups) -> Result<Vec<(&'a str, &'a str)>> {
        let needed = || {
            let each = found.complete.iter();
            each.flat_map(|it| it.needs.iter().map(|id| (it.id.as_str(), id.as_str())))
        };
        let own: Vec<_> = found.complete.iter().map(|it| it.id.clone()).collect();
        let mut here: HashSet<String> = own.into_iter().collect();
        if !self.path.is_dir() && needed().any(|(_, id)| !here.contains(id)) {
            let folder = dalsegno::durable::folder_of(&self.path);
            let beside = dalsegno::list_backups(folder)?.complete;
            here.extend(beside.into_iter().map(|it| it.id));
        }
        Ok(needed().filter(|(_, id)| !here.contains(*id)).collect())
    }
}
