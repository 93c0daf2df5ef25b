//! `dalsegno session erased`: what is left of sessions that were erased.

use clap::Args;
use serde_json::json;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style, table};

/// List what is left of sessions that were erased, or say whether one was
///
/// Of each, a keyed hash of its name and the time. With a name: whether that session was erased; exit code 4 if not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno session erased
  dalsegno session erased chat/42")]
pub(crate) struct Erased {
    /// The session
    session: Option<String>,
}

impl Erased {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        if let Some(session) = &self.session {
            return one(session, engine.is_erased(session)?, out);
        }
        let tombstones = engine.tombstones()?;
        if out.is_json() {
            return out.json(&json!({"erased": tombstones}));
        }
        if tombstones.is_empty() {
            out.note("no session was erased");
            return Ok(());
        }
        let row = |it: &dalsegno::Tombstone| vec![it.hash.clone(), human::time(it.erased_at)];
        let rows = tombstones.iter().map(row).collect();
        let mut lines = table::lay_out(&["HASH OF THE NAME", "ERASED"], rows).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))
    }
}

fn one(session: &str, erased: bool, out: &mut Out) -> Result<()> {
    let shown = human::safe(session);
    if !erased {
        return Err(crate::failure::Failure::new(
            dalsegno::ErrorKind::NotFound,
            format!("no session {shown} was erased"),
        ));
    }
    if out.is_json() {
        return out.json(&json!({"session": session, "erased": true}));
    }
    out.line(format!("{shown} was erased"))
}
