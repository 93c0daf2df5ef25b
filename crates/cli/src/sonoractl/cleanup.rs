//! `sonoractl snapshot cleanup`: old snapshots go.

use clap::Args;
use dalsegno::retention::Rules;
use dalsegno::{CleanupPlan, Damage, Engine};
use jiff::SignedDuration;
use serde_json::json;

use super::guilds::guild_id;
use super::options::Options;
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::verb::put::close;
use crate::verb::rules::duration;
use crate::verb::snapshot::cleanup::{damaged, done, tell_plan};

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
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
    /// Show what would be deleted and why, without deleting it
    #[arg(long)]
    dry_run: bool,
}

impl Cleanup {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let mut rules = Rules::new();
        rules.older_than = Some(self.older_than);
        rules.check()?;
        let engine = options.engine()?;
        let guilds = options.guilds(&engine)?;
        let meant = match self.guild_id {
            Some(guild) => vec![guild],
            None => guilds.stored()?,
        };
        let (mut whole, mut failed): (Option<CleanupPlan>, _) = (None, Vec::new());
        let mut planned = 0;
        for guild in meant {
            let asked = dalsegno::Cleanup {
                session: Some(guilds.session(guild)),
                rules: Some(rules.clone()),
                ..dalsegno::Cleanup::default()
            };
            match engine.cleanup_plan(&asked) {
                Ok(plan) => whole = Some(with(whole, plan)),
                // One that cannot be read does not hold up the others.
                Err(error) => {
                    failed.push((guild, error.into()));
                    continue;
                }
            }
            planned += 1;
        }
        let damage = match &whole {
            Some(plan) => self.carry_out(engine, plan, out)?,
            None => {
                close(engine, out);
                if failed.is_empty() {
                    out.note("no guild has a snapshot");
                }
                Vec::new()
            }
        };
        Failure::of_several(failed, planned, "cleaned up")?;
        damaged(&damage)
    }

    /// Does it, or shows it; what is damaged was left alone.
    fn carry_out(&self, engine: Engine, plan: &CleanupPlan, out: &mut Out) -> Result<Vec<Damage>> {
        let cleaned = (!self.dry_run)
            .then(|| engine.cleanup(plan, &mut |_| {}))
            .transpose()?;
        if cleaned.is_some() {
            out.did();
        }
        close(engine, out);
        let deleted = cleaned.as_ref().map_or(plan.deleted, |it| it.deleted);
        if out.is_json() {
            out.json(&json!({
                "dry_run": self.dry_run, "deleted": deleted, "kept": plan.kept, "plan": plan,
                "done": cleaned,
            }))?;
        } else if let Some(cleaned) = &cleaned {
            out.line(format!("{}, {} stay", done(plan, cleaned), plan.kept))?;
        } else {
            tell_plan(plan, out)?;
        }
        let more = cleaned.map(|cleaned| cleaned.damage).unwrap_or_default();
        Ok([&plan.damage[..], &more].concat())
    }
}

/// Both in one. What is in the trash for its time is the same in each.
fn with(whole: Option<CleanupPlan>, plan: CleanupPlan) -> CleanupPlan {
    let Some(mut whole) = whole else { return plan };
    whole.sessions.extend(plan.sessions);
    whole.deleted += plan.deleted;
    whole.kept += plan.kept;
    whole.frees += plan.frees;
    whole
}
