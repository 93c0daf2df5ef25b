//! `sonoractl queue inspect`: what plays, and what will.

use std::time::Duration;

use clap::{Args, Subcommand};
use dalsegno_sonora::{LiveQueue, QUEUE};
use serde_json::{Value, json};

use super::guilds::{Guilds, guild_id};
use super::options::Options;
use super::player;
use crate::failure::{Failure, Result};
use crate::interrupt::Polite;
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
/// The running bot is asked for it. Where none runs, it is what is stored, and that is said. Of what is upcoming, the
/// titles of the first 10 are shown, with --json of the first 100; `snapshot save --output` writes all.
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
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
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
        let guilds = options.guilds(&engine)?;
        let (meant, live) = guilds.meant(self.guild_id)?;
        let (mut queues, mut failed, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let _polite = Polite::begin();
        for guild in meant {
            // Who presses Ctrl-C means the rest, too.
            let seen = match Polite::asked() {
                true => Err(Failure::interrupted()),
                false => self.look(&guilds, guild, live),
            };
            match seen {
                Ok((queue, its)) => {
                    left.extend((live && !its).then(|| guild.to_string()));
                    queues.push(queue);
                }
                Err(failure) => failed.push((guild, failure)),
            }
        }
        if !live && !queues.is_empty() {
            out.note("no bot plays this: it is what is stored");
        }
        if !left.is_empty() {
            let guilds = left.join(", ");
            out.note(format!(
                "the bot went while it was asked: of guild {guilds}, it is what is stored"
            ));
        }
        let live = live && left.is_empty();
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

    /// A queue, and whether the bot said so, or it is what is stored.
    fn look(&self, guilds: &Guilds<'_>, guild: u64, live: bool) -> Result<(LiveQueue, bool)> {
        if !live {
            return Ok((stored(guilds, guild)?, false));
        }
        match guilds.ask(guild, QUEUE, (Value::Null, None), self.timeout) {
            Ok(answer) => {
                let queue = serde_json::from_value(answer.value).map_err(|e| {
                    Failure::problem(format!(
                        "the bot answered something else than was asked: {e}"
                    ))
                })?;
                Ok((queue, true))
            }
            // Who is there and does not answer may play something else by now.
            Err(failure) if guilds.running()?.contains(&guild) => Err(failure),
            Err(_) => Ok((stored(guilds, guild)?, false)),
        }
    }
}

fn stored(guilds: &Guilds<'_>, guild: u64) -> Result<LiveQueue> {
    let latest = format!("{}@latest", guilds.session(guild));
    let stored = guilds.engine.restore(&latest)?;
    Ok(LiveQueue::restored(guild, &stored)?)
}

fn show(queue: &LiveQueue, out: &mut Out) -> Result<()> {
    let state = match (queue.current.is_some(), queue.paused, queue.connected) {
        (true, true, _) => ", paused",
        (true, false, false) => ", without a voice connection",
        _ => "",
    };
    let guild = style::head(format!("guild {}", queue.guild));
    out.line(format!("{guild}: {}{state}", player::line(queue)))?;
    if let Some(why) = &queue.still {
        out.line(format!("  as it was: {}", human::safe(why)))?;
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::{Arc, Weak};

    use dalsegno::{Attendant, Engine, Error, ErrorKind, Reply, Request};

    use super::*;

    /// A bot whose player goes when it is asked for.
    struct Goes(Weak<Engine>);

    impl Attendant for Goes {
        fn asked(&mut self, request: &Request) -> dalsegno::Result<Reply> {
            if let Some(engine) = self.0.upgrade().filter(|_| request.session == "sonora/1") {
                engine.close_session(&request.session)?;
            }
            Err(Error::new(ErrorKind::NotFound, "it has no player now"))
        }
    }

    #[test]
    fn where_the_bot_goes_meanwhile_it_is_what_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let bot = Arc::new(Engine::create(&path).unwrap());
        for session in ["sonora/1", "sonora/2"] {
            bot.open_session(session).unwrap();
            let state = json!({"queue": {"upcoming": [{"title": "a"}]}});
            bot.save(session, &state).commit().unwrap();
        }
        let attending = bot.attend(Goes(Arc::downgrade(&bot))).unwrap();
        let engine = Engine::open(&path).unwrap();
        let guilds = Guilds {
            engine: &engine,
            app: "sonora".to_owned(),
        };
        let inspect = Inspect {
            guild_id: None,
            timeout: Duration::from_secs(60),
        };
        let (queue, live) = inspect.look(&guilds, 1, true).unwrap();
        assert_eq!((queue.upcoming, live), (1, false));
        // One that is still there is not spoken for.
        assert!(inspect.look(&guilds, 2, true).is_err());
        attending.stop();
    }
}
