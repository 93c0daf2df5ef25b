//! `dalsegno snapshot delete` and `undelete`.

use clap::Args;
use dalsegno::{GRACE, display_duration};
use jiff::SignedDuration;
use serde_json::json;

use super::amend::described;
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::close;
use crate::verb::rules::duration;

/// Move snapshots to the trash
///
/// They stay there for 7 days, or for as long as --grace says, and can be taken out again with
/// `undelete`. Then the next `cleanup` purges them and gives the space back. Pinned snapshots are refused
/// (exit code 8).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot delete party
  dalsegno snapshot delete 01a1fb85-ba7b 01a1fb85-babe --grace 1d
  dalsegno snapshot delete bot/42@-7 --dry-run")]
pub(crate) struct Delete {
    /// The snapshots: ids or their beginnings, names, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    /// How long they stay in the trash: 12h, 7d, 2 weeks
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    grace: Option<SignedDuration>,
    /// Show what would be deleted, without deleting it
    #[arg(long)]
    dry_run: bool,
}

/// Take snapshots out of the trash
///
/// Each comes back to its place in the history. `snapshot list --deleted` shows what there is. Exit
/// code 5 if its name has been given to another snapshot of the session.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot undelete party
  dalsegno snapshot list --deleted")]
pub(crate) struct Undelete {
    /// Ids or their beginnings, names, or SESSION@NAME
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    /// Show what would be taken out, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Delete {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let references: Vec<&str> = self.references.iter().map(String::as_str).collect();
        let grace = self.grace.unwrap_or(GRACE);
        let found = if self.dry_run {
            engine.delete_plan(&references)?
        } else {
            engine.delete(&references, grace)?
        };
        if !self.dry_run {
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "deleted": found}));
        }
        for snapshot in &found {
            out.line(described(snapshot))?;
        }
        if self.dry_run {
            return out.line("dry run: nothing was changed");
        }
        let (what, them) = match found.len() {
            1 => ("1 snapshot is", "it"),
            _ => ("these are", "them"),
        };
        out.line(format!(
            "{what} in the trash for {}; `snapshot undelete` takes {them} out",
            display_duration(grace)
        ))
    }
}

impl Undelete {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let references: Vec<&str> = self.references.iter().map(String::as_str).collect();
        let found = if self.dry_run {
            engine.undelete_plan(&references)?
        } else {
            engine.undelete(&references)?
        };
        if !self.dry_run {
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "undeleted": found}));
        }
        for snapshot in &found {
            out.line(described(snapshot))?;
        }
        out.line(if self.dry_run {
            "dry run: nothing was changed".to_owned()
        } else {
            format!(
                "{} back in the history",
                human::count(found.len() as u64, "snapshot")
            )
        })
    }
}
