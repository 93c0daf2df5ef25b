//! `dalsegno events`: what happened, and what happens.

use std::time::Duration;

use clap::Args;
use dalsegno::{Event, Happened, Went};

use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;

/// How often the store is looked at: it costs next to nothing where nothing happened.
const PAUSE: Duration = Duration::from_millis(100);

/// Show what happened in the store, and what happens
///
/// Saves, restores, rollbacks, deletions, sessions that were recovered or taken over, auto-saves that failed: by
/// whatever program. With --json, one line of JSON for each. With --follow, it goes on until it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno events
  dalsegno events --follow --json | jq .event
  dalsegno events --limit 0 --follow --session 'bot/42'")]
pub(crate) struct Events {
    /// Go on with what happens from now on
    #[arg(long, short)]
    follow: bool,
    /// At most so many of those that happened already
    #[arg(long, value_name = "N", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(0..=10_000))]
    limit: u32,
    /// Only those of this session
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
}

impl Events {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let mut follower = engine.follow()?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let known = if limit == 0 {
            Vec::new()
        } else {
            engine.events(if self.session.is_some() {
                usize::MAX
            } else {
                limit
            })?
        };
        let known: Vec<Event> = known
            .into_iter()
            .filter(|event| self.wants(event))
            .collect();
        let skip = known.len().saturating_sub(limit);
        self.show(known.into_iter().skip(skip), out)?;
        while self.follow && !out.is_closed() {
            let news = follower.poll()?;
            self.show(news.into_iter().filter(|event| self.wants(event)), out)?;
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn wants(&self, event: &Event) -> bool {
        self.session.is_none() || event.session == self.session
    }

    fn show(&self, events: impl Iterator<Item = Event>, out: &mut Out) -> Result<()> {
        for event in events {
            if out.is_json() {
                out.json(&event)?;
            } else {
                out.line(line(&event))?;
            }
        }
        Ok(())
    }
}

fn line(event: &Event) -> String {
    let session = event
        .session
        .as_deref()
        .map(human::safe)
        .unwrap_or_default();
    let by = event
        .actor
        .as_deref()
        .map(|actor| format!("  by {}", human::safe(actor)));
    let word = event.what.word().replace('_', " ");
    let time = human::time(event.at);
    let more = more(&event.what);
    let gap = if more.is_empty() { "" } else { "  " };
    format!(
        "{time}  {word:<20} {session}{gap}{more}{}",
        by.unwrap_or_default()
    )
}

/// What there is to say of it beside the word.
fn more(what: &Happened) -> String {
    let id = |id: &dalsegno::SnapshotId| human::short(*id);
    let went = |went: &Went| {
        let from = went.from.as_ref().map(|from| format!("to {}", id(from)));
        let target = match went.target.as_str() {
            "head" => String::new(),
            other => format!(" in {}", human::safe(other)),
        };
        format!("{}{target}", from.unwrap_or_default())
    };
    match what {
        Happened::Created { snapshot }
        | Happened::AutoSaved { snapshot }
        | Happened::Imported { snapshot }
        | Happened::ShrinkGuarded { snapshot } => id(snapshot),
        Happened::Forked { from, .. } => format!("from {}", id(from)),
        Happened::Restored(it)
        | Happened::RolledBack(it)
        | Happened::Undone(it)
        | Happened::Redone(it) => went(it),
        Happened::CleanedUp { deleted, .. } | Happened::Deleted { deleted } => {
            human::count(*deleted, "snapshot")
        }
        Happened::Recovered {
            snapshot,
            passed_over,
        } => {
            let at = snapshot.as_ref().map_or("no state".to_owned(), id);
            match passed_over {
                0 => at,
                count => format!("{at}, {} damaged", human::count(*count, "newer one")),
            }
        }
        Happened::AutoSaveFailed { message }
        | Happened::Repaired { message, .. }
        | Happened::LeaseLost { message }
        | Happened::CorruptionDetected { message, .. } => human::safe(message),
        _ => String::new(),
    }
}
