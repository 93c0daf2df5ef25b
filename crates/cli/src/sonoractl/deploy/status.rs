//! `sonoractl deploy status`: which bot has which player.

use clap::Args;
use dalsegno::Holding;
use serde_json::json;

use crate::failure::Result;
use crate::output::Out;
use crate::sonoractl::options::Options;
use crate::{human, style, table};

/// List which bot has which player
///
/// `open`: that bot plays it. `gone`: the bot ended without closing it, and the next start brings it back. `closed`: any
/// bot may have it. EPOCH rises whenever another one has it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl deploy status
  sonoractl deploy status --json")]
pub(in crate::sonoractl) struct Status {}

impl Status {
    #[expect(clippy::unused_self, reason = "as every verb")]
    pub(in crate::sonoractl) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let engine = options.engine()?;
        let holders = options.guilds(&engine)?.holders()?;
        if out.is_json() {
            let players = holders
                .iter()
                .map(|(guild, holder)| json!({"guild": guild, "holder": holder}));
            return out.json(&json!({"players": players.collect::<Vec<_>>()}));
        }
        if holders.is_empty() {
            out.note("no bot ever had a player");
            return Ok(());
        }
        let rows = holders.iter().map(|(guild, holder)| {
            let standing = match holder.standing {
                Holding::Open => "open",
                Holding::Gone => "gone",
                Holding::Closed => "closed",
            };
            let program = holder
                .program
                .as_deref()
                .map(human::safe)
                .unwrap_or_default();
            let pid = holder
                .pid
                .map_or_else(String::new, |pid| format!(" (process {pid})"));
            vec![
                guild.to_string(),
                standing.to_owned(),
                human::time(holder.since),
                format!("{program}{pid}"),
                holder.epoch.to_string(),
            ]
        });
        let heads = ["GUILD", "", "SINCE", "BOT", ">EPOCH"];
        let mut lines = table::lay_out(&heads, rows.collect()).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))
    }
}
