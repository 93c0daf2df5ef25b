//! `dalsegno demo sonora`: a bot that plays in 50 guilds is killed, then the bot and its node, and all play on.

pub(crate) mod bot;
mod music;
mod people;
mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use dalsegno::Options;
use dalsegno_scripted::Node;
use serde_json::json;

use super::{chapter, check};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::{key, style, table, when};
use people::Guild;
use process::Process;

/// How many guilds listen.
const GUILDS: u64 = 50;

/// How often a player is saved beside every change of what it plays.
const EVERY: Duration = Duration::from_secs(2);

/// How long a save may be on its way, on a machine that is busy.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// See a bot of 50 guilds killed, and its node: all play on
///
/// The nodes are scripted ones on this machine, which know what is heard; no sound is made. The bot is a program of its
/// own, killed with SIGKILL. First the bot alone is killed: nothing that is heard may change. Then both are, and a new
/// node takes over: every guild goes on with its track, not further back than the last save, with its queue, volume,
/// filters and pause. It ends with an error where anything is lost.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno demo sonora
  dalsegno demo sonora --json | jq '.guilds[0]'")]
pub(crate) struct Sonora {}

impl Sonora {
    #[expect(clippy::unused_self, reason = "as every verb")]
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let begun = Instant::now();
        let store = store(global)?;
        let mut main = node()?;

        if !out.is_json() {
            out.line(
                "The nodes are scripted ones on this machine, and no Lavalink: no sound is made.\n",
            )?;
        }
        chapter(out, 1, "Fifty guilds listen")?;
        let nodes = [("main", main.port())];
        let mut bot = Process::start(&store, &nodes)?;
        let told = bot.ready()?;
        let mut guilds = (0..GUILDS)
            .map(|guild| Guild::listening(guild, &main, &told))
            .collect::<Result<Vec<_>>>()?;
        say(
            out,
            "A bot plays in 50 guilds on one node, 200 tracks in each queue.",
        )?;

        chapter(out, 2, "The bot is killed")?;
        bot.kill()?;
        let away = Instant::now();
        let mut bot = Process::start(&store, &nodes)?;
        let told = bot.ready()?;
        let away = away.elapsed();
        for guild in &mut guilds {
            guild.kept(&main, &told)?;
        }
        let words = format!(
            "{}: killed with SIGKILL, it was there again after {}. Nobody heard anything of it: no track was begun \
             again, none was moved.",
            style::good("right"),
            when::seconds(away)
        );
        say(out, &words)?;

        chapter(out, 3, "The bot and its node are killed")?;
        // They go on for longer than a player is saved apart.
        thread::sleep(EVERY + EVERY / 2);
        bot.kill()?;
        guilds.iter_mut().try_for_each(|guild| guild.cut(&main))?;
        main.kill();
        let other = node()?;
        let nodes = [("main", main.port()), ("other", other.port())];
        let mut bot = Process::start(&store, &nodes)?;
        let told = bot.ready()?;
        let mut furthest = 0;
        for guild in &mut guilds {
            let back = guild.put_back(&other, &told)?;
            check(
                Duration::from_millis(back) <= EVERY + EVERY / 10 + ON_ITS_WAY,
                "no guild goes back further than to the last save",
            )?;
            furthest = furthest.max(back);
        }
        bot.kill()?;
        let engine = key::open(Options::default(), &store)??;
        check(engine.verify(None)?.is_intact(), "verify finds no damage")?;
        engine.close()?;

        if out.is_json() {
            return out.json(&json!({
                "store": store.display().to_string(),
                "nodes": "scripted",
                "saved_every_seconds": EVERY.as_secs_f64(),
                "bot_was_away_seconds": away.as_secs_f64(),
                "furthest_back_ms": furthest,
                "guilds": guilds,
                "seconds": begun.elapsed().as_secs_f64(),
            }));
        }
        for line in table::lay_out(&people::HEADS, guilds.iter().map(Guild::row).collect()) {
            out.line(format!("   {line}"))?;
        }
        let words = format!(
            "\n   {}: all 50 play on, on another node: the same track, not more than {furthest} ms back (saved every {}),\n   \
             with its queue, volume, filters and pause. All of this took {}.\n   The store lies in {}.",
            style::good("right"),
            when::seconds(EVERY),
            when::seconds(begun.elapsed()),
            store.display()
        );
        out.line(words)
    }
}

fn say(out: &mut Out, words: &str) -> Result<()> {
    if out.is_json() {
        return Ok(());
    }
    out.line(format!("   {words}"))
}

fn node() -> Result<Node> {
    let options = dalsegno_scripted::Options {
        catalogue: music::catalogue(),
        player_update: Duration::from_secs(1),
        ..dalsegno_scripted::Options::default()
    };
    Node::start(options).map_err(|e| Failure::io("starting a node", e))
}

/// A new store among the temporary files, or where --store says.
fn store(global: &Global) -> Result<PathBuf> {
    let store = match &global.store {
        Some(store) => store.clone(),
        None => tempfile::Builder::new()
            .prefix("dalsegno-demo-")
            .permissions(fs::Permissions::from_mode(0o700))
            .disable_cleanup(true)
            .tempdir()
            .map_err(|e| Failure::io("making a temporary folder", e))?
            .path()
            .to_owned(),
    };
    key::create(Options::default(), &store)?.close()?;
    Ok(fs::canonicalize(&store).unwrap_or(store))
}
