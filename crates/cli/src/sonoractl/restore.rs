//! `sonoractl snapshot restore`: has a player play again what it played then.

use std::time::Duration;

use clap::Args;
use dalsegno::ErrorKind;
use dalsegno_sonora::{Component, LiveQueue, RESTORE, merge_stored, restore_stored};
use serde_json::{Value, json};

use super::guilds::{Guilds, guild_id};
use super::options::Options;
use super::player;
use super::source::{From, Source};
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::verb::asking::duration;
use crate::verb::put::close;
use crate::{human, style};

/// Have a player play again what a snapshot says
///
/// The running bot puts it on its node, reads it back there, and answers what was restored. Where no bot plays the
/// guild, the state becomes the newest stored one, and the bot puts it on a node when it starts.
///
/// What stood there is kept first; `dalsegno undo SESSION --ask` takes it back. Of another guild's snapshot, neither the
/// node's session nor the voice channel is taken. Exit code 2 if a component that is named is not in the snapshot, 3 if a
/// plugin does not take its state.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl snapshot restore party_session --dry-run
  sonoractl snapshot restore party_session
  sonoractl snapshot restore party_session --guild-id 123456789 --components queue,filters
  sonoractl snapshot restore backups/session.json")]
pub(super) struct Restore {
    /// The snapshot: a name, an id or its beginning, SESSION@latest, @-2, @TIME, or a file
    #[arg(value_name = "NAME")]
    name: String,
    /// Into this guild; without it, the snapshot's own
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
    /// Also into a guild that neither a bot nor the store knows
    #[arg(long, requires = "guild_id")]
    new: bool,
    /// Only these: queue, current, filters, autoplay, settings, or player for current and settings
    #[arg(
        long,
        visible_alias = "component",
        value_name = "NAMES",
        value_delimiter = ','
    )]
    components: Vec<String>,
    /// Show what would be restored, without doing it
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for the bot's answer
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

impl Restore {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        Component::parse(self.words())?;
        let (engine, none) = if self.dry_run {
            options.engine_or_file(&self.name)?
        } else {
            (options.engine()?, None)
        };
        let guilds = options.guilds(&engine)?;
        let source = Source::find(&guilds, &self.name, self.guild_id)?;
        let guild = self.guild_id.unwrap_or(source.guild);
        let running = guilds.running()?;
        let live = running.contains(&guild);
        let components = self.components(&source)?;
        if guild != source.guild && !self.new && none.is_none() {
            guilds.refuse_unknown(guild)?;
        }
        if self.dry_run {
            let no_store = none.as_ref().map(Failure::message);
            return plan(&guilds, &source, guild, &components, (live, no_store), out);
        }
        let undo = options.undo(&engine, &guilds.session(guild));
        let done = if live {
            self.ask(&guilds, &source, guild, (&components, undo), out)
        } else {
            let others = !running.is_empty();
            let left = leave(&guilds, &source, guild, (&components, &undo), others, out);
            left.and_then(|()| back(&undo, out))
        };
        if out.is_done() {
            close(engine, out);
        }
        done
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.components.iter().map(|word| word.trim())
    }

    /// What is restored: what the snapshot has, or what was named, all of which it has.
    fn components(&self, source: &Source) -> Result<Vec<Component>> {
        let name = human::safe(&self.name);
        let there = Component::present(&source.data, &Component::ALL);
        let there = there.map_err(|error| error.context(format!("'{name}'")))?;
        if self.components.is_empty() {
            return Ok(there);
        }
        let asked = Component::parse(self.words())?;
        let list = |components: Vec<Component>| {
            let words: Vec<_> = components.into_iter().map(Component::as_str).collect();
            words.join(", ")
        };
        let missing: Vec<_> = { asked.iter().copied() }
            .filter(|it| !there.contains(it))
            .collect();
        if missing.is_empty() {
            return Ok(asked);
        }
        let (missing, there) = (list(missing), list(there));
        Err(Failure::new(
            ErrorKind::InvalidInput,
            format!("'{name}' has no {missing}, so nothing was changed; it has {there}"),
        ))
    }

    /// The bot does it.
    fn ask(
        &self,
        guilds: &Guilds<'_>,
        source: &Source,
        guild: u64,
        (components, undo): (&[Component], String),
        out: &mut Out,
    ) -> Result<()> {
        let (from, state) = match &source.from {
            From::Store(snapshot) => (Some(snapshot.id), None),
            From::File(_) => (None, Some(source.data.to_string().into_bytes())),
        };
        let arguments = json!({"from": from, "components": components});
        let answer = guilds.ask(guild, RESTORE, (arguments, state), self.timeout)?;
        out.did();
        let value = &answer.value;
        if out.is_json() {
            let mut all = value.clone();
            if let Some(all) = all.as_object_mut() {
                all.shift_insert(0, "dry_run".to_owned(), json!(false));
                all.shift_insert(1, "live".to_owned(), json!(true));
                all.insert("by".to_owned(), json!(answer.by));
                all.insert("undo".to_owned(), json!(undo));
            }
            out.json(&all)?;
        } else {
            let number = |key: &str| value[key].as_u64().unwrap_or_default();
            out.line(format!(
                "{} guild {guild}: {}, {} upcoming, {} in the history restored",
                style::good("done"),
                player::current(value["current"].as_str(), number("position")),
                human::count(number("upcoming"), "track"),
                number("history")
            ))?;
            let components = value["components"].as_array().into_iter().flatten();
            restored(components.filter_map(Value::as_str), out)?;
            if let Some(by) = &answer.by {
                out.line(format!(
                    "its node holds it, says {}",
                    human::safe(&by.to_string())
                ))?;
            }
            if value["current"].is_string() && value["connected"] == false {
                out.line("the node has no voice connection: nobody hears it yet")?;
            }
            if value["not_stored"].is_null() {
                back(&undo, out)?;
            }
        }
        let mut missing: Vec<&str> = match &value["failed"] {
            Value::Array(failed) => failed.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        missing.extend(value["not_stored"].as_str());
        if missing.is_empty() {
            return Ok(());
        }
        Err(Failure::partly(format!(
            "not all of it: {}",
            missing.join("; ")
        )))
    }
}

/// It waits in the store for the bot.
fn leave(
    guilds: &Guilds<'_>,
    source: &Source,
    guild: u64,
    (components, undo): (&[Component], &str),
    others: bool,
    out: &mut Out,
) -> Result<()> {
    let session = guilds.session(guild);
    let head = restore_stored(guilds.engine, &session, &source.data, components)?;
    out.did();
    let queue = newest(guilds, guild)
        .map_err(|failure| failure.after("it is done, but could not be read back"))?;
    if out.is_json() {
        return out.json(&json!({
            "dry_run": false, "live": false, "guild": guild, "components": components,
            "current": queue.current, "position": queue.position, "upcoming": queue.upcoming,
            "history": queue.history, "head": head, "undo": undo,
        }));
    }
    out.line(format!(
        "{} guild {guild}: {} stored as what it is to play",
        style::good("done"),
        player::line(&queue)
    ))?;
    restored(components.iter().map(|it| it.as_str()), out)?;
    out.line(if others {
        "the running bot has no player of this guild: it is put on a node once it has one again"
    } else {
        "no bot runs: it is put on a node when the bot starts"
    })
}

/// What is stored of a guild.
fn newest(guilds: &Guilds<'_>, guild: u64) -> Result<LiveQueue> {
    let latest = format!("{}@latest", guilds.session(guild));
    Ok(LiveQueue::restored(
        guild,
        &guilds.engine.restore(&latest)?,
    )?)
}

/// Which components were restored: the rest is as it was.
fn restored<'a>(components: impl Iterator<Item = &'a str>, out: &mut Out) -> Result<()> {
    let words: Vec<_> = components.collect();
    out.line(format!("restored: {}", words.join(", ")))
}

/// How it is taken back.
fn back(undo: &str, out: &mut Out) -> Result<()> {
    if out.is_json() {
        return Ok(());
    }
    out.line(format!("to take it back: {}", human::safe(undo)))
}

fn plan(
    guilds: &Guilds<'_>,
    source: &Source,
    guild: u64,
    components: &[Component],
    (live, no_store): (bool, Option<&str>),
    out: &mut Out,
) -> Result<()> {
    let merged = merge_stored(
        guilds.engine,
        &guilds.session(guild),
        &source.data,
        components,
    )?;
    let queue = LiveQueue::read(guild, &merged)?;
    if out.is_json() {
        return out.json(&json!({
            "dry_run": true, "live": live, "no_store": no_store, "guild": guild, "of_guild": source.guild,
            "components": components, "current": queue.current, "position": queue.position,
            "upcoming": queue.upcoming, "history": queue.history,
        }));
    }
    let words: Vec<_> = components.iter().map(|it| it.as_str()).collect();
    out.line(format!(
        "guild {guild} would have: {}",
        player::line(&queue)
    ))?;
    out.line(format!("restored would be: {}", words.join(", ")))?;
    if guild != source.guild {
        out.line(format!(
            "it is a snapshot of guild {}: neither the node's session nor the channel is taken",
            source.guild
        ))?;
    }
    out.line(match no_store {
        Some(why) => format!("it could not be done, only the file was looked at: {why}"),
        None if live => "the running bot would do it now".to_owned(),
        None => "no bot plays this guild: it would be done when a bot starts".to_owned(),
    })?;
    out.line("dry run: nothing was changed")
}
