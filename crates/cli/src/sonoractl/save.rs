//! `sonoractl snapshot save`: captures what plays.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use dalsegno::{Engine, ErrorKind, Kind, Snapshot};
use dalsegno_sonora::{LiveQueue, SAVE, SavedPlayer, Saving, SnapshotFile};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::guilds::{Guilds, guild_id};
use super::options::Options;
use super::player;
use crate::failure::{Failure, Result};
use crate::human;
use crate::interrupt::Polite;
use crate::output::Out;
use crate::verb::asking::duration;
use crate::verb::put::close;
use crate::{place, style};

/// Save what plays now, of all guilds or one
///
/// The running bot is asked for it. Where none runs, the newest stored states get the name, and that is said. Exit
/// code 3 if some guilds could not be saved.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl snapshot save --name party_session
  sonoractl snapshot save --name party_session --guild-id 123456789 --tag friday
  sonoractl snapshot save --output backups/session.json")]
pub(super) struct Save {
    /// The snapshot's name; each guild has its own of it
    #[arg(long)]
    name: Option<String>,
    /// Write it into a new file as well, as Sonora does; of several guilds, `b.json` becomes `b_guild_ID.json`
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only this guild
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
    /// What it is
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// How long to wait for the bot's answer
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

/// What was saved of a guild.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    player: SavedPlayer,
    file: Option<PathBuf>,
}

impl Save {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        if self.output.as_deref() == Some(Path::new("-")) {
            return Err(Failure::usage(
                "--output names a file; for standard output use `dalsegno snapshot show`",
            ));
        }
        let engine = options.engine()?;
        let guilds = options.guilds(&engine)?;
        let (meant, live) = guilds.meant(self.guild_id)?;
        let files: Vec<_> = meant
            .iter()
            .map(|guild| self.file(*guild, meant.len() > 1))
            .collect();
        for file in files.iter().flatten() {
            refuse_taken(&engine, file)?;
        }
        // What is saved by then is told.
        let _polite = Polite::begin();
        let (mut saved, mut failed) = (Vec::new(), Vec::new());
        for (guild, file) in meant.iter().zip(files) {
            // Who presses Ctrl-C means the rest, too.
            let saved_now = match Polite::asked() {
                true => Err(Failure::interrupted()),
                false => self.save(&guilds, *guild, live),
            };
            let player = match saved_now {
                Ok(player) => player,
                Err(failure) => {
                    failed.push((*guild, failure));
                    continue;
                }
            };
            let written = file.map(|file| write(&guilds, &player, &file).map(|()| file));
            let file = written.transpose().unwrap_or_else(|failure| {
                failed.push((*guild, failure.after(&unwritten(&player))));
                None
            });
            out.did();
            saved.push(Done { player, file });
        }
        if !live && !saved.is_empty() {
            out.note(match self.guild_id {
                Some(guild) => {
                    format!("no bot plays guild {guild}: this is its newest stored state")
                }
                None => "no bot runs: these are the newest stored states".to_owned(),
            });
        }
        close(engine, out);
        // Only now: where nobody can be told, all guilds are saved all the same.
        tell(&saved, &failed, live, out)?;
        Failure::of_several(failed, saved.len(), "saved as asked")
    }

    fn save(&self, guilds: &Guilds<'_>, guild: u64, live: bool) -> Result<SavedPlayer> {
        if live {
            self.ask(guilds, guild)
        } else {
            self.keep(guilds, guild)
        }
    }

    fn ask(&self, guilds: &Guilds<'_>, guild: u64) -> Result<SavedPlayer> {
        let saving = Saving {
            name: self.name.clone(),
            description: self.description.clone(),
            tags: self.tags.clone(),
            ..Saving::default()
        };
        let answer = guilds.ask(guild, SAVE, (json!(saving), None), self.timeout)?;
        serde_json::from_value(answer.value).map_err(|e| {
            Failure::problem(format!(
                "the bot answered something else than was asked: {e}"
            ))
        })
    }

    /// The newest stored state once more, under its name.
    fn keep(&self, guilds: &Guilds<'_>, guild: u64) -> Result<SavedPlayer> {
        let session = guilds.session(guild);
        let stored = guilds.engine.restore(&format!("{session}@latest"))?;
        let queue = LiveQueue::restored(guild, &stored)?;
        let mut save = guilds.engine.save_json(&session, stored.into_text());
        if let Some(name) = &self.name {
            save = save.name(name);
        }
        if let Some(description) = &self.description {
            save = save.description(description);
        }
        save = self.tags.iter().fold(save, |save, tag| save.tag(tag));
        let snapshot = save.kind(Kind::Manual).commit()?;
        Ok(SavedPlayer {
            guild,
            snapshot: json!(snapshot),
            tracks: usize::from(queue.current.is_some()) + queue.upcoming,
            history: queue.history,
            current: queue.current,
            position: queue.position,
            still: None,
        })
    }

    /// Its own file, where one was asked for.
    fn file(&self, guild: u64, several: bool) -> Option<PathBuf> {
        let path = self.output.clone()?;
        if !several {
            return Some(path);
        }
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let end = path
            .extension()
            .map(|end| format!(".{}", end.to_string_lossy()));
        let name = format!("{stem}_guild_{guild}{}", end.unwrap_or_default());
        Some(path.with_file_name(name))
    }
}

fn write(guilds: &Guilds<'_>, player: &SavedPlayer, path: &Path) -> Result<()> {
    let id = player.snapshot["id"].as_str().unwrap_or_default();
    let stored = guilds.engine.restore(id)?;
    let data: Map<String, Value> = stored.to()?;
    let snapshot: &Snapshot = stored.snapshot();
    let mut file = SnapshotFile::taken(player.guild, snapshot.created_at, data);
    for (key, text) in [
        ("name", &snapshot.name),
        ("description", &snapshot.description),
    ] {
        if let Some(text) = text {
            file.other.insert(key.to_owned(), json!(text));
        }
    }
    if !snapshot.tags.is_empty() {
        file.other
            .insert("metadata".to_owned(), json!({"tags": snapshot.tags}));
    }
    Ok(file.save(path)?)
}

fn tell(saved: &[Done], failed: &[(u64, Failure)], live: bool, out: &mut Out) -> Result<()> {
    if out.is_json() {
        if saved.is_empty() {
            return Ok(());
        }
        let failed: Vec<_> = failed
            .iter()
            .map(|(guild, failure)| json!({"guild": guild, "error": failure.message()}))
            .collect();
        return out.json(&json!({"live": live, "saved": saved, "failed": failed}));
    }
    saved.iter().try_for_each(|done| {
        let guild = done.player.guild;
        let whole = failed.iter().all(|(other, _)| *other != guild);
        let mark = if whole {
            style::good("done")
        } else {
            style::changed("partly")
        };
        out.line(format!("{mark} {}", told(done)))?;
        match &done.player.still {
            Some(why) => out.line(format!("  as it was: {}", human::safe(why))),
            None => Ok(()),
        }
    })
}

fn told(done: &Done) -> String {
    let player = &done.player;
    let file = done.file.as_ref().map_or_else(String::new, |file| {
        format!(", written to {}", human::safe(&file.display().to_string()))
    });
    format!(
        "guild {}: {} ({}), saved as {}{file}",
        player.guild,
        player::tracks(player.tracks),
        player::current(player.current.as_deref(), player.position),
        named(player),
    )
}

fn unwritten(player: &SavedPlayer) -> String {
    format!(
        "it is stored as {}, but the file was not written",
        named(player)
    )
}

/// The snapshot's short id, and its name where it has one.
fn named(player: &SavedPlayer) -> String {
    let text = |key: &str| player.snapshot[key].as_str().map(human::safe);
    let id: String = text("id").unwrap_or_default().chars().take(18).collect();
    let name = text("name").map_or_else(String::new, |name| format!(" '{name}'"));
    format!("{id}{name}")
}

/// Nothing that stands there is replaced: it may be the only copy.
fn refuse_taken(engine: &Engine, file: &Path) -> Result<()> {
    place::not_the_store(engine, file)?;
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::new(
        ErrorKind::Conflict,
        format!(
            "{} is there already, and is not replaced: give --output another name, or move it away; nothing was \
             saved",
            file.display()
        ),
    ))
}

impl Failure {
    /// What is to be said where `failed` of several were not done: the first one's kind where none was. What is said of
    /// several guilds is said once.
    pub(super) fn of_several(failed: Vec<(u64, Self)>, done: usize, what: &str) -> Result<()> {
        let mut said: Vec<(String, Vec<&(u64, Self)>)> = Vec::new();
        for one in &failed {
            let of_any = one.1.message().replace(&format!("/{}", one.0), "/GUILD");
            match said.iter_mut().find(|(other, _)| *other == of_any) {
                Some((_, same)) => same.push(one),
                None => said.push((of_any, vec![one])),
            }
        }
        let lines = said.into_iter().map(|(of_any, same)| {
            if let [(guild, failure)] = &*same {
                return format!("guild {guild} was not {what}: {}", failure.message());
            }
            let guilds: Vec<_> = same.iter().map(|(guild, _)| guild.to_string()).collect();
            format!("guilds {} were not {what}: {of_any}", guilds.join(", "))
        });
        let message = lines.collect::<Vec<_>>().join("\n");
        match failed.into_iter().next() {
            None => Ok(()),
            Some((_, first)) if done == 0 => Err(first.saying(message)),
            Some(_) => Err(Self::partly(message)),
        }
    }

    /// Whether what was asked for is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.is_of(ErrorKind::NotFound) || self.is_of(ErrorKind::InvalidInput)
    }
}
