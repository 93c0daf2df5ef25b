//! `dalsegno snapshot save`: keeps a session's state.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, ErrorKind, Kind, MAX_SIZE, Options, Query, Snapshot};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{self, Place};
use crate::verb::asking::{Asking, by_whom, with_answer};
use crate::verb::put::close;
use crate::{human, input};

/// Save the state of a session
///
/// The state is any JSON value, kept byte for byte. It is on the disk when this returns. A state that
/// is the same as the one before is kept as a reference.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot save bot/42 --from player.json
  curl -s localhost:8080/state | dalsegno snapshot save bot/42 --kind auto
  dalsegno snapshot save game/drowned-bell --from game.json --name 'before the boss' \\
      --tag boss --meta chapter=VI
  dalsegno snapshot save bot/42 --from player.json --ask")]
pub(crate) struct Save {
    /// The session, such as bot/42
    session: String,
    /// The file that holds the state; `-` is standard input, which is also read if it is piped
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// A name, unique within the session, to find the snapshot by
    #[arg(long)]
    name: Option<String>,
    /// A short text for people; need not be unique
    #[arg(long)]
    label: Option<String>,
    /// A longer text
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A word to filter by; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Free metadata as text; may be given several times
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<(String, String)>,
    /// The session's turn; without it the document's integer turn_count, else turn
    #[arg(long, allow_negative_numbers = true, value_name = "N")]
    turn: Option<i64>,
    /// The version of the document's schema
    #[arg(long, value_name = "VERSION")]
    schema_version: Option<String>,
    /// Pin it, so that neither delete nor cleanup takes it
    #[arg(long)]
    pin: bool,
    /// Items of guarded lists are missing on purpose, and why: clear, undo, compress, skip, or other words
    #[arg(long, value_name = "WORDS")]
    intent: Option<String>,
    /// Who asked for it: a person, or a timer
    #[arg(long, default_value = "manual", value_parser = PossibleValuesParser::new(["manual", "auto"]))]
    kind: String,
    /// Check everything and say what would be saved, without saving
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Save {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        self.refuse_repeated_keys()?;
        let engine = Place::open_guarded(global)?;
        let limit = u64::try_from(MAX_SIZE).unwrap_or(u64::MAX);
        let text = match &self.from {
            Some(from) => input::read(&engine, from, limit)?,
            None => input::piped(limit)?,
        };
        if self.dry_run {
            return self.rehearse(&engine, text, out);
        }
        if self.asking.ask {
            return self.have_saved(engine, text, out);
        }
        let saved = self.prepare(&engine, text)?.commit()?;
        out.did();
        let fuller = fuller(&engine, &saved);
        close(engine, out);
        if out.is_json() {
            let mut all = value(&saved);
            if let (Some(all), Some(fuller)) = (all.as_object_mut(), &fuller) {
                all.insert("guarded".to_owned(), guarded(fuller));
            }
            return out.json(&all);
        }
        out.line(sentence("saved", &saved))?;
        let Some(fuller) = fuller else {
            return Ok(());
        };
        out.line(lost_lines(&fuller, &self.session))
    }

    /// The save as asked for.
    fn prepare<'a>(&self, engine: &'a Engine, text: Vec<u8>) -> Result<dalsegno::Save<'a>> {
        let mut save = engine
            .save_json(&self.session, text)
            .kind(self.kind.parse::<Kind>()?);
        if let Some(name) = &self.name {
            save = save.name(name);
        }
        if let Some(label) = &self.label {
            save = save.label(label);
        }
        if let Some(description) = &self.description {
            save = save.description(description);
        }
        for tag in &self.tags {
            save = save.tag(tag);
        }
        for (key, value) in &self.metadata {
            save = save.meta(key, value.as_str());
        }
        if let Some(turn) = self.turn {
            save = save.turn(turn);
        }
        if let Some(version) = &self.schema_version {
            save = save.schema_version(version);
        }
        if let Some(words) = &self.intent {
            save = save.intent(words);
        }
        Ok(if self.pin { save.pin() } else { save })
    }

    /// Has it saved by the program that has the session open.
    fn have_saved(&self, engine: Engine, text: Vec<u8>, out: &mut Out) -> Result<()> {
        let metadata: Map<String, Value> = self
            .metadata
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        let arguments = json!({
            "name": self.name,
            "label": self.label,
            "description": self.description,
            "tags": self.tags,
            "metadata": metadata,
            "turn": self.turn,
            "schema_version": self.schema_version,
            "intent": self.intent,
            "pinned": self.pin,
            "kind": self.kind,
        });
        let answer = self
            .asking
            .send(&engine, &self.session, "save", arguments, Some(text))?;
        out.did();
        if out.is_json() {
            let mut all = with_answer(&answer, false);
            let saved = answer.value["id"].as_str().map(|id| engine.info(id));
            let fuller = saved.and_then(|saved| fuller(&engine, &saved.ok()?));
            if let (Some(all), Some(fuller)) = (all.as_object_mut(), &fuller) {
                all.insert("guarded".to_owned(), guarded(fuller));
            }
            out.json(&all)?;
        } else {
            let saved = answer.value["id"].as_str().map(|id| engine.info(id));
            if let Some(Ok(saved)) = saved {
                out.line(sentence("saved", &saved))?;
                if let Some(fuller) = fuller(&engine, &saved) {
                    out.line(lost_lines(&fuller, &self.session))?;
                }
            }
            out.line(by_whom(&answer, &self.session).join("\n"))?;
        }
        close(engine, out);
        Ok(())
    }

    fn refuse_repeated_keys(&self) -> Result<()> {
        let mut keys: Vec<_> = self.metadata.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(Failure::usage(format!(
                "--meta has the key '{}' twice",
                pair.first().map_or("", |key| key.as_str())
            ))),
            None => Ok(()),
        }
    }

    /// Saves into a store in memory, on top of the session's newest state: what would be refused here
    /// is refused there.
    fn rehearse(&self, engine: &Engine, text: Vec<u8>, out: &mut Out) -> Result<()> {
        place::writable(engine)?;
        let mut guards = place::guards()?;
        guards.extend(engine.guards().unwrap_or_default());
        let migrations = engine.migrations().clone();
        let memory = Options::default().guards(guards).migrations(migrations);
        let memory = memory.on(Arc::new(MemoryStore::new(&SystemClock)));
        match engine.restore(&format!("{}@latest", self.session)) {
            Ok(newest) => drop(
                memory
                    .save_json(&self.session, newest.into_text())
                    .commit()?,
            ),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let would = self.prepare(&memory, text)?.commit()?;
        self.refuse_taken_name(engine)?;
        let fuller = fuller(&memory, &would);
        if out.is_json() {
            let mut all = value(&would);
            if let Some(all) = all.as_object_mut() {
                if let Some(fuller) = &fuller {
                    all.insert("guarded".to_owned(), json!({"lost": fuller.label}));
                }
                // What only a real save can know.
                for unknown in ["id", "created_at", "parent", "same_as", "stored_size"] {
                    all.shift_remove(unknown);
                }
            }
            return out.json(&json!({"dry_run": true, "would_save": all}));
        }
        let session = human::safe(&would.session);
        let size = human::size(would.size);
        let unchanged = if would.unchanged {
            ", unchanged since the last state"
        } else {
            ""
        };
        if let Some(lost) = fuller.and_then(|fuller| fuller.label) {
            let lost = human::safe(&lost);
            out.line(format!("{lost}: the fuller state would be kept"))?;
        }
        out.line(format!(
            "dry run: {session} would be saved ({size}{unchanged}); nothing was changed"
        ))
    }

    fn refuse_taken_name(&self, engine: &Engine) -> Result<()> {
        let Some(name) = &self.name else {
            return Ok(());
        };
        let mut query = Query {
            limit: 1,
            ..Query::session(&self.session)
        };
        query.name = Some(name.clone());
        match engine.list(&query) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error.into()),
            Ok(page) if page.snapshots.is_empty() => Ok(()),
            Ok(_) => Err(Failure::new(
                ErrorKind::Conflict,
                format!(
                    "session {} has a snapshot named '{}' already; choose another name",
                    self.session, name
                ),
            )),
        }
    }
}

/// The fuller state that was kept, if there was one to keep; the save is done either way.
fn fuller(engine: &Engine, saved: &Snapshot) -> Option<Snapshot> {
    engine.kept_fuller(saved).ok().flatten()
}

/// What was lost, and how it comes back.
fn lost_lines(fuller: &Snapshot, session: &str) -> String {
    let lost = human::safe(fuller.label.as_deref().unwrap_or_default());
    let kept = human::short(fuller.id);
    let session = human::safe(session);
    format!(
        "{lost}: the fuller state is kept as {kept}\n`guard restore {session}` brings back what was lost; if it is \
         meant to be gone, `snapshot delete {kept}`, and say so with --intent the next time"
    )
}

fn value(snapshot: &Snapshot) -> Value {
    serde_json::to_value(snapshot).unwrap_or(Value::Null)
}

fn guarded(fuller: &Snapshot) -> Value {
    json!({"snapshot": fuller.id, "lost": fuller.label})
}

/// What was saved, in a sentence.
fn sentence(verb: &str, snapshot: &Snapshot) -> String {
    let session = human::safe(&snapshot.session);
    let id = human::short(snapshot.id);
    let size = human::size(snapshot.size);
    let name = snapshot
        .name
        .as_ref()
        .map_or_else(String::new, |name| format!(" '{}'", human::safe(name)));
    if snapshot.unchanged {
        return format!("{verb} {session} as {id}{name}: unchanged ({size}), kept as a reference");
    }
    let stored = human::size(snapshot.stored_size);
    format!("{verb} {session} as {id}{name}: {size}, stored in {stored}")
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}
