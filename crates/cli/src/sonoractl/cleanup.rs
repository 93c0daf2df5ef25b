//! `sonoractl snapshot cleanup`: old snapshots go.

use clap::Args;
use dalsegno::retention::Rules;
use jiff::SignedDuration;
use serde_json::json;

use super::options::Options;
use crate::failure::Result;
use crate::human;
use crate::output::Out;
use crate::verb::put::close;
use crate::verb::rules::duration;

/// Delete the snapshots of players that are older than a time
///
/// The newest state of each guild stays, pinned ones do, and so do those kept before a restore in the last 24 hours.
/// What is deleted stays in the trash for 7 days. `dalsegno snapshot cleanup` knows more rules.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl snapshot cleanup --older-than 7d --dry-run
  sonoractl snapshot cleanup --older-than 7d")]
pub(super) struct Cleanup {
    /// Only what was taken longer ago than this: 12h, 7d, 2 weeks
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: SignedDuration,
    /// Only this guild
    #[arg(long, value_name = "ID")]
    guild_id: Option<u64>,
    /// Show what would be deleted, without deleting it
    #[arg(long)]
    dry_run: bool,
}

impl Cleanup {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let mut rules = Rules::new();
        rules.older_than = Some(self.older_than);
        rules.check()?;
        let engine = options.engine()?;
        let guilds = options.guilds(&engine);
        let meant = match self.guild_id {
            Some(guild) => vec![guild],
            None => guilds.stored()?,
        };
        let (mut deleted, mut kept) = (0, 0);
        for guild in meant {
            let plan = engine.cleanup_plan(&dalsegno::Cleanup {
                session: Some(guilds.session(guild)),
                rules: Some(rules.clone()),
                grace: None,
                purge: false,
            })?;
            kept += plan.kept;
            deleted += if self.dry_run {
                plan.deleted
            } else {
                engine.cleanup(&plan, &mut |_| {})?.deleted
            };
        }
        close(engine, out);
        if out.is_json() {
            let all = json!({"dry_run": self.dry_run, "deleted": deleted, "kept": kept});
            return out.json(&all);
        }
        let gone = human::count(deleted, "snapshot");
        if self.dry_run {
            out.line(format!("{gone} would be deleted, {kept} would stay"))?;
            return out.line("dry run: nothing was changed");
        }
        out.line(format!("{gone} moved to the trash, {kept} stay"))
    }
}
