//! `sonoractl snapshot info`: what a snapshot holds.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::guilds::{guild_id, of_guild};
use super::options::Options;
use super::player::{current, tracks};
use super::source::{From, Source};
use crate::failure::Result;
use crate::output::Out;
use crate::{human, table};

/// Show what a snapshot holds, before restoring it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl snapshot info party_session
  sonoractl snapshot info sonora/123456789@latest --json
  sonoractl snapshot info backups/session.json")]
pub(super) struct Info {
    /// The snapshot: a name, an id or its beginning, SESSION@latest, @-2, @TIME, or a file
    #[arg(value_name = "NAME")]
    name: String,
    /// Of this guild, where several have one of that name
    #[arg(long, value_name = "ID", value_parser = guild_id)]
    guild_id: Option<u64>,
}

impl Info {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        let (engine, _) = options.engine_or_file(&self.name)?;
        let source = Source::find(&options.guilds(&engine)?, &self.name, self.guild_id)?;
        of_guild(&self.name, self.guild_id, Some(source.guild), "it")?;
        if out.is_json() {
            let (snapshot, file) = match &source.from {
                From::Store(snapshot) => (json!(snapshot), json!(null)),
                From::File(file) => (
                    json!(null),
                    json!({
                        "path": self.name, "version": file.version, "timestamp": file.timestamp,
                        "checked": file.is_checked(),
                    }),
                ),
            };
            let mut all = json!(source.queue);
            if let Some(all) = all.as_object_mut() {
                all.insert("snapshot".to_owned(), snapshot);
                all.insert("file".to_owned(), file);
            }
            return out.json(&all);
        }
        let rows = rows(&source).into_iter();
        let rows = rows.map(|(name, value)| vec![name.to_owned(), human::safe(&value)]);
        let mut lines = table::lay_out(&["", ""], rows.collect()).into_iter();
        lines.try_for_each(|line| out.line(line))
    }
}

fn rows(source: &Source) -> Vec<(&'static str, String)> {
    let queue = &source.queue;
    let mut rows = vec![("guild", source.guild.to_string())];
    match &source.from {
        From::Store(snapshot) => {
            rows.push(("id", snapshot.id.to_string()));
            let texts = [
                ("name", &snapshot.name),
                ("description", &snapshot.description),
            ];
            let texts = texts
                .into_iter()
                .filter_map(|(key, text)| Some((key, text.clone()?)));
            rows.extend(texts);
            if !snapshot.tags.is_empty() {
                rows.push(("tags", snapshot.tags.join(", ")));
            }
            rows.push(("taken", human::time(snapshot.created_at)));
            rows.push(("kind", snapshot.kind.to_string()));
            rows.push(("size", human::exact_size(snapshot.size)));
        }
        From::File(file) => {
            rows.push(("taken", taken(file.timestamp)));
            rows.push(("version", file.version.clone()));
            let checked = if file.is_checked() { "right" } else { "none" };
            rows.push(("checksum", checked.to_owned()));
        }
    }
    let on = |is: bool| if is { "on" } else { "off" }.to_owned();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) if items.is_empty() => "none".to_owned(),
        serde_json::Value::Array(items) => {
            let words: Vec<_> = items.iter().map(|it| it.as_str().unwrap_or("?")).collect();
            words.join(", ")
        }
        other => other.to_string(),
    };
    rows.extend([
        ("plays", current(queue.current.as_deref(), queue.position)),
        ("upcoming", tracks(queue.upcoming)),
        ("history", tracks(queue.history)),
        ("volume", queue.volume.to_string()),
        ("paused", if queue.paused { "yes" } else { "no" }.to_owned()),
        ("loop", text(&queue.loop_mode)),
        ("shuffle", on(queue.shuffle)),
        ("filters", text(&queue.filters)),
        ("autoplay", on(queue.autoplay)),
    ]);
    rows
}

/// The moment of a file, whatever it says.
fn taken(timestamp: f64) -> String {
    let since = SignedDuration::try_from_secs_f64(timestamp).ok();
    let time = since.and_then(|since| Timestamp::UNIX_EPOCH.checked_add(since).ok());
    time.map_or_else(|| format!("at {timestamp}, which is no time"), human::time)
}
