//! `sonoractl queue inspect`: what plays, and what will.

use std::time::Duration;

use clap::{Args, Subcommand};
use dalsegno_sonora::{LiveQueue, QUEUE};
use serde_json::{Value, json};

use super::guilds::{Guilds, guild_id};
use super::options::Options;
use super::player;
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::verb::asking::duration;
use crate::{human, style};

/// How many upcoming tracks are shown.
const SHOWN: usize = 10;

/// See what plays, and what will
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) enum Queue {
    Inspect(Inspect),
}

/// Show what plays, and what will, of all guilds or one
///
/// The running bot is asked for it. Where none runs, it is what is stored, and that is said.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl queue inspect
  sonoractl queue inspect --guild-id 123456789 --json")]
pub(super) struct Inspect {
    /// Only this guild
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
    /// How long to wait for the bot's answer
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    timeout: Duration,
}

impl Queue {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let Self::Inspect(inspect) = self;
        inspect.run(options, out)
    }
}

impl Inspect {
    fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let engine = options.engine()?;
        let guilds = options.guilds(&engine);
        let (meant, live) = guilds.meant(self.guild_id)?;
        let (mut queues, mut failed) = (Vec::new(), Vec::new());
        for guild in meant {
            match self.look(&guilds, guild, live) {
                Ok(queue) => queues.push(queue),
                Err(failure) => failed.push((guild, failure)),
            }
        }
        if !live && !queues.is_empty() {
            out.note("no bot plays this: it is what is stored");
        }
        if out.is_json() {
            if !queues.is_empty() {
                out.json(&json!({"live": live, "queues": queues}))?;
            }
        } else {
            for queue in &queues {
                show(queue, out)?;
            }
        }
        Failure::of_several(failed, queues.len(), "seen")
    }

    fn look(&self, guilds: &Guilds<'_>, guild: u64, live: bool) -> Result<LiveQueue> {
        if !live {
            let session = guilds.session(guild);
            let stored: Value = guilds.engine.restore(&format!("{session}@latest"))?.to()?;
            return Ok(LiveQueue::read(guild, &stored)?);
        }
        let answer = guilds.ask(guild, QUEUE, (Value::Null, None), self.timeout)?;
        serde_json::from_value(answer.value).map_err(|e| {
            Failure::problem(format!(
                "the bot answered something else than was asked: {e}"
            ))
        })
    }
}

fn show(queue: &LiveQueue, out: &mut Out) -> Result<()> {
    let state = match (queue.current.is_some(), queue.paused, queue.connected) {
        (true, true, _) => ", paused",
        (true, false, false) => ", without a voice connection",
        _ => "",
    };
    let guild = style::head(format!("guild {}", queue.guild));
    out.line(format!("{guild}: {}{state}", player::line(queue)))?;
    for (number, title) in queue.titles.iter().take(SHOWN).enumerate() {
        out.line(format!("  {:>2}. {}", number + 1, human::safe(title)))?;
    }
    match queue.upcoming.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => out.line(format!(
            "  … and {}",
            human::count(more as u64, "more track")
        )),
    }
}
