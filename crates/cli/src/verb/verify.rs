//! `dalsegno verify`: proves that everything kept is what was saved.

use clap::Args;
use dalsegno::{Damage, ErrorKind, Snapshot, Verification};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::progress::Progress;
use crate::{human, style};

/// Prove that every snapshot is what was saved
///
/// Every row is checked against its hash, also of snapshots in the trash, every state is rebuilt and compared with its checksum, and
/// the structure of the store's file is checked. Exit code 6 if anything is damaged; the report then
/// names the snapshots that are lost. Snapshots that a repair marked are counted: they are not as they were saved.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno verify
  dalsegno verify --session bot/42
  dalsegno verify --json | jq .damage")]
pub(crate) struct Verify {
    /// Only this session, and not the store's structure
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
}

impl Verify {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let sessions = match &self.session {
            Some(_) => Some(1),
            // What is damaged of them is found below.
            None => engine.sessions().ok().map(|names| names.len() as u64),
        };
        let progress = Progress::begin(out, sessions, "sessions");
        let found = engine.verify_with(self.session.as_deref(), &mut |name| progress.done(name))?;
        drop(progress);
        if out.is_json() {
            out.json(&json!({
                "intact": found.is_intact(),
                "sessions": found.sessions,
                "snapshots": found.snapshots,
                "states": found.states,
                "bytes": found.bytes,
                "repaired": found.repaired,
                "damage": found.damage,
            }))?;
        } else {
            out.line(proved(&found, self.session.is_none()))?;
            for damage in &found.damage {
                out.line(describe(damage))?;
            }
        }
        if found.is_intact() {
            return Ok(());
        }
        let lost: usize = found
            .damage
            .iter()
            .map(|damage| damage.snapshots.len())
            .sum();
        let message = match lost {
            0 => "the store is damaged; every snapshot can still be restored".to_owned(),
            lost => format!(
                "the store is damaged; lost: {}",
                human::count(u64::try_from(lost).unwrap_or(u64::MAX), "snapshot")
            ),
        };
        Err(Failure::new(ErrorKind::Damaged, message))
    }
}

/// What was looked at, in a sentence.
pub(crate) fn proved(found: &Verification, structure: bool) -> String {
    let work = format!(
        "{} of {}, {} rebuilt and compared ({})",
        human::count(found.snapshots, "snapshot"),
        human::count(found.sessions, "session"),
        human::count(found.states, "state"),
        human::size(found.bytes),
    );
    let structure = if structure {
        ", and the store's structure"
    } else {
        ""
    };
    if !found.is_intact() {
        let marked = marked(found.repaired);
        return format!(
            "{}: looked at {work}{structure}{marked}",
            style::bad("damaged")
        );
    }
    let said = intact(found.snapshots, found.repaired, structure.is_empty());
    format!("{said}: {work}{structure}")
}

/// What may be said where nothing is damaged: not that all is as it was saved, where a repair had to make something up, or where
/// nothing was saved.
pub(crate) fn intact(snapshots: u64, repaired: u64, of_session: bool) -> String {
    match (snapshots, repaired) {
        (0, _) if of_session => "nothing is damaged, and the session is empty".to_owned(),
        (0, _) => "nothing is damaged, and the store is empty".to_owned(),
        (_, 0) => style::good("all is as it was saved"),
        (_, repaired) => style::changed(format!(
            "nothing is damaged now, but {} not as saved: marked by a repair",
            match repaired {
                1 => "1 snapshot is".to_owned(),
                many => format!("{} are", human::count(many, "snapshot")),
            }
        )),
    }
}

/// How many of these a repair marked.
pub(crate) fn count_marked(snapshots: &[Snapshot]) -> u64 {
    let marked = snapshots.iter().filter(|it| it.repaired.is_some());
    marked.count() as u64
}

/// How many of the snapshots that were named a repair marked.
pub(crate) fn marked(repaired: u64) -> String {
    match repaired {
        0 => String::new(),
        many => format!(
            ", {} marked by a repair: not as saved",
            indicatif::HumanCount(many)
        ),
    }
}

/// What is wrong, and what is lost by it.
pub(crate) fn describe(damage: &Damage) -> String {
    let session = match &damage.session {
        Some(session) => format!("session {}", human::safe(session)),
        None => "store".to_owned(),
    };
    let mut lines = vec![format!("{session}: {}", human::safe(&damage.message))];
    lines.extend(damage.snapshots.iter().map(|id| format!("  lost: {id}")));
    lines.join("\n")
}
