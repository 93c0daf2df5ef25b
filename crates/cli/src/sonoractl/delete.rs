//! `sonoractl snapshot delete`.

use clap::Args;
use dalsegno::GRACE;
use serde_json::json;

use super::guilds::guild_id;
use super::options::Options;
use crate::failure::Result;
use crate::output::Out;
use crate::verb::put::close;
use crate::verb::snapshot::amend::described;

/// Move snapshots to the trash
///
/// They stay there for 7 days; `dalsegno snapshot undelete` takes them out. Pinned snapshots are refused (exit code 8).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl snapshot delete old_session --dry-run
  sonoractl snapshot delete old_session
  sonoractl snapshot delete old_session --guild-id 123456789")]
pub(super) struct Delete {
    /// The snapshots: names, ids or their beginnings, SESSION@NAME
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Of this guild, where several have one of that name
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
    /// Show what would be deleted, without deleting it
    #[arg(long)]
    dry_run: bool,
}

impl Delete {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let engine = options.engine()?;
        let guilds = options.guilds(&engine)?;
        let found = self
            .names
            .iter()
            .map(|name| guilds.find_own(name, self.guild_id));
        let ids: Vec<String> = found
            .map(|found| Ok(found?.id.to_string()))
            .collect::<Result<_>>()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let deleted = if self.dry_run {
            engine.delete_plan(&ids)?
        } else {
            engine.delete(&ids, GRACE)?
        };
        if !self.dry_run {
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "deleted": deleted}));
        }
        for snapshot in &deleted {
            out.line(described(snapshot))?;
        }
        out.line(if self.dry_run {
            "dry run: nothing was changed"
        } else {
            "in the trash for 7 days; `dalsegno snapshot undelete` takes it out"
        })
    }
}
