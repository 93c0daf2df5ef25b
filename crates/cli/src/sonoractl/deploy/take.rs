//! `sonoractl deploy take`: a new bot takes players over.

use std::time::Duration;

use clap::Args;
use dalsegno::{ErrorKind, Holding};
use dalsegno_sonora::{Deployment, TAKE};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::sonoractl::guilds::Guilds;
use crate::sonoractl::options::Options;
use crate::sonoractl::player;
use crate::verb::asking::{duration, send};
use crate::{human, style};

/// What putting players on nodes and asking may take beside.
const MARGIN: Duration = Duration::from_secs(10);

/// Have a running bot take the players of the other ones over
///
/// Each player stands still and is saved, is put on a node of the new bot and read back there, and is the new one's from
/// then on. All go, or none: where one cannot be taken, all go back. With --rolling they go batch by batch, and one that
/// fails goes back alone (exit code 3). To roll back, have the old bot take them, as long as it runs.
///
/// A bot can be asked if it was given a name: it has the session APP/bot/NAME open.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl deploy take --to green --dry-run
  sonoractl deploy take --to green
  sonoractl deploy take --to green --rolling --batch 5 --between 10s
  sonoractl deploy take --to blue              # back")]
pub(in crate::sonoractl) struct Take {
    /// The bot that takes them
    #[arg(long, value_name = "NAME")]
    to: String,
    /// Batch by batch
    #[arg(long)]
    rolling: bool,
    /// With --rolling: how many at once
    #[arg(long, value_name = "N", default_value_t = 5, requires = "rolling")]
    batch: usize,
    /// With --rolling: how long to wait between two batches
    #[arg(long, value_name = "DURATION", default_value = "10s", requires = "rolling",
          value_parser = duration)]
    between: Duration,
    /// In what time each, or all together, have to be handed over
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
    /// Show which players would be taken, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Take {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let engine = options.engine()?;
        let guilds = options.guilds(&engine)?;
        let session = self.find(&guilds)?;
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).ok();
        let asked = Deployment {
            dry_run: self.dry_run,
            rolling: self.rolling,
            batch: Some(self.batch),
            between_ms: milliseconds(self.between),
            timeout_ms: milliseconds(self.timeout),
        };
        let wait = self.patience(guilds.running()?.len());
        let answer = send(&engine, &session, TAKE, (json!(asked), None), wait)?;
        if !self.dry_run {
            out.did();
        }
        let value = &answer.value;
        if out.is_json() {
            let mut all = value.clone();
            if let Some(all) = all.as_object_mut() {
                all.shift_insert(0, "dry_run".to_owned(), json!(self.dry_run));
                all.insert("by".to_owned(), json!(answer.by));
            }
            out.json(&all)?;
        } else {
            self.tell(value, out)?;
        }
        outcome(value)
    }

    /// The session of the bot itself.
    fn find(&self, guilds: &Guilds<'_>) -> Result<String> {
        let prefix = format!("{}/bot/", guilds.app);
        let session = format!("{prefix}{}", self.to);
        let holders = guilds.engine.holders()?.into_iter();
        let open = holders.filter(|it| it.standing == Holding::Open);
        let bots: Vec<String> = open
            .filter_map(|it| Some(it.session.strip_prefix(&prefix)?.to_owned()))
            .collect();
        if bots.contains(&self.to) {
            return Ok(session);
        }
        let known = if bots.is_empty() {
            "no running bot has a name".to_owned()
        } else {
            format!("there are {}", human::safe(&bots.join(", ")))
        };
        Err(Failure::new(
            ErrorKind::NotFound,
            format!("no bot is called {}: {known}", human::safe(&self.to)),
        ))
    }

    /// How long its answer may take.
    fn patience(&self, players: usize) -> Duration {
        if !self.rolling {
            return self.timeout + MARGIN;
        }
        let batches = u32::try_from(players.div_ceil(self.batch.max(1))).unwrap_or(u32::MAX);
        (self.timeout + self.between).saturating_mul(batches) + MARGIN
    }

    fn tell(&self, value: &Value, out: &mut Out) -> Result<()> {
        let to = human::safe(&self.to);
        if self.dry_run {
            for it in list(&value["offered"]) {
                let by = human::safe(it["by"].as_str().unwrap_or_default());
                out.line(format!("guild {}: {by} has it", it["guild"]))?;
            }
            let number = human::count(list(&value["offered"]).len() as u64, "player");
            return out.line(format!(
                "{to} would take {number}; dry run: nothing was changed"
            ));
        }
        for it in list(&value["players"]) {
            let taken = &it["taken"];
            if taken.is_null() {
                continue;
            }
            let plays = player::current(
                taken["current"].as_str(),
                taken["position"].as_u64().unwrap_or_default(),
            );
            let node = human::safe(taken["node"].as_str().unwrap_or("no node"));
            out.line(format!(
                "{} guild {}: {plays}, {} upcoming, on {node}",
                style::good("done"),
                it["guild"],
                taken["upcoming"]
            ))?;
        }
        let taken = list(&value["players"])
            .iter()
            .filter(|it| !it["taken"].is_null());
        let number = human::count(taken.count() as u64, "player");
        out.line(format!("{to} took {number} over"))
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn outcome(value: &Value) -> Result<()> {
    let failed = list(&value["players"])
        .iter()
        .filter(|it| it["taken"].is_null());
    let failed = failed.map(|it| {
        let why = it["error"].as_str().unwrap_or_default();
        format!("guild {} went back: {why}", it["guild"])
    });
    let wrong = list(&value["wrong"]).iter().map(|it| {
        let why = it[1].as_str().unwrap_or_default();
        format!("guild {} does not play as it should: {why}", it[0])
    });
    let lines: Vec<String> = failed.chain(wrong).collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::partly(lines.join("\n")))
}
