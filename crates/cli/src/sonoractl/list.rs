//! `sonoractl snapshot list`: what there is.

use std::num::NonZeroUsize;

use clap::Args;
use dalsegno::{Kind, Query, Snapshot};
use serde_json::json;

use super::guilds::guild_id;
use super::options::Options;
use crate::failure::Result;
use crate::output::Out;
use crate::table;

/// List the snapshots of players, the newest first
///
/// Those that were kept before a restore, and guards, are left out unless --all is given.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl snapshot list
  sonoractl snapshot list --guild-id 123456789 --limit 10 --json")]
pub(super) struct List {
    /// Only this guild
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
    /// Those kept before a restore, and guards, too
    #[arg(long)]
    all: bool,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50")]
    limit: NonZeroUsize,
}

impl List {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let engine = options.engine()?;
        let guilds = options.guilds(&engine)?;
        let mut kinds = Kind::ALL.to_vec();
        if !self.all {
            kinds.retain(|kind| !matches!(kind, Kind::Safety | Kind::Guard));
        }
        let mut query = Query {
            session: self.guild_id.map(|guild| guilds.session(guild)),
            kinds,
            limit: 1000,
            ..Query::default()
        };
        let limit = self.limit.get();
        let mut found: Vec<Snapshot> = Vec::new();
        while found.len() <= limit {
            let page = engine.list(&query)?;
            let own = page.snapshots.into_iter();
            found.extend(own.filter(|it| guilds.guild(&it.session).is_some()));
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        let more = found.len() > limit;
        found.truncate(limit);
        if out.is_json() {
            return out.json(&json!({"snapshots": found, "more": more}));
        }
        if found.is_empty() {
            out.note("no snapshots");
            return Ok(());
        }
        out.line(table::snapshots(&found))?;
        if more {
            out.note(format!("there are more than these {limit}: see --limit"));
        }
        Ok(())
    }
}
