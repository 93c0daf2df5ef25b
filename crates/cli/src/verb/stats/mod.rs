//! `dalsegno stats`: how much is kept, of what, since when.

pub(crate) mod text;

use clap::Args;
use dalsegno::{Engine, ErrorKind, Stats as Figures, StatsQuery};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::progress::Progress;

/// Show figures about the store or a session
///
/// Sizes, intervals, peak hours, and which components change most. Times are local. Content is read
/// for the components only: of a session's newest 100 states; of the whole store's sessions only with
/// --rebuild. Exit code 6 if something is damaged: it is named, and in none of the figures.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno stats
  dalsegno stats bot/42
  dalsegno stats --rebuild 20 --limit 3
  dalsegno stats --json | jq .hours")]
pub(crate) struct Stats {
    #[command(flatten)]
    what: What,
    /// Name so many sessions, those with the most stored bytes; JSON has all
    #[arg(long, value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(0..=100_000))]
    limit: u32,
}

/// What figures are made of.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Only this session
    pub(crate) session: Option<String>,
    /// Rebuild so many of each session's newest states to see which components change; 0 reads no
    /// content [default: 100 of a named session, 0 of the store]
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    rebuild: Option<u32>,
}

impl What {
    pub(crate) fn figures(&self, engine: &Engine, out: &Out) -> Result<Figures> {
        let mut query = match &self.session {
            Some(session) => StatsQuery::session(session),
            None => StatsQuery::default(),
        };
        if let Some(rebuild) = self.rebuild {
            query.rebuild = usize::try_from(rebuild).unwrap_or(usize::MAX);
        }
        let sessions = match &self.session {
            None if query.rebuild > 0 => engine.sessions().map_or(0, |names| names.len()),
            _ => 1,
        };
        let progress = Progress::begin(out, u64::try_from(sessions).ok(), "sessions");
        Ok(engine.stats_with(&query, &mut |name| progress.done(name))?)
    }
}

impl Stats {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let found = self.what.figures(&engine, out)?;
        if out.is_json() {
            out.json(&found)?;
        } else {
            let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
            for line in text::lines(&found, limit) {
                out.line(line)?;
            }
        }
        complete(&found)
    }
}

/// Fails where something is left out.
pub(crate) fn complete(found: &Figures) -> Result<()> {
    if found.damage.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        ErrorKind::Damaged,
        "the figures leave out what is damaged; run `dalsegno verify` to see what is lost",
    ))
}
