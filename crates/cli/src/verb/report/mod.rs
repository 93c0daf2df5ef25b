//! `dalsegno report`: the figures for a person to read.

mod markdown;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use dalsegno::Error;
use serde_json::json;

use super::stats::{What, complete};
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::{self, Place};
use markdown::Markdown;

/// Write a report about the store or a session
///
/// Markdown: a summary, the sessions, activity by hour, growth by day, the components that change
/// most, and what is damaged. Times are local. With --json and without --output, the figures of
/// `dalsegno stats --json`. Exit code 6 if something is damaged; the report is written all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno report
  dalsegno report bot/42 --output bot-42.md
  dalsegno report --rebuild 20 --output store.md")]
pub(crate) struct Report {
    #[command(flatten)]
    what: What,
    /// The file to write, whole or not at all, for its owner only
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name so many sessions, those with the most stored bytes
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(0..=100_000))]
    limit: u32,
}

impl Report {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        if let Some(path) = &self.output {
            place::not_the_store(&engine, path)?;
        }
        let found = self.what.figures(&engine, out)?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let text = || Markdown::of(&found, engine.path().as_deref(), limit);
        match &self.output {
            Some(path) => {
                let text = text();
                dalsegno::write_private(path, |file: &mut dyn Write| {
                    file.write_all(text.as_bytes())
                        .map_err(|e| Error::io(format!("writing {}", path.display()), e))
                })?;
                let shown = path.display().to_string();
                if out.is_json() {
                    out.json(&json!({"path": shown, "bytes": text.len()}))?;
                } else {
                    let size = human::length(text.len());
                    out.line(format!("wrote {} ({size})", human::safe(&shown)))?;
                }
            }
            None if out.is_json() => out.json(&found)?,
            None => out.bytes(text().as_bytes())?,
        }
        complete(&found)
    }
}
