//! Looking at what is kept: the newest snapshots, and a state of an hour ago.

use dalsegno::Query;
use serde::Serialize;

use super::check;
use super::evening::{Playing, Who};
use super::play::{LOOK_BACK, Played};
use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::{human, table};

/// Shows the last few snapshots of the store, as `snapshot list` does.
pub(super) fn last_few(played: &Played, out: &mut Out) -> Result<()> {
    if out.is_json() {
        return Ok(());
    }
    let query = Query {
        limit: 6,
        ..Query::default()
    };
    let page = played.engine.list(&query)?;
    let lines = table::snapshots(&page.snapshots);
    lines
        .lines()
        .try_for_each(|line| out.line(format!("   {line}")))
}

/// An old state, found by its time.
#[derive(Debug, Serialize)]
pub(super) struct OldState {
    pub(super) reference: String,
    id: String,
    playing: Playing,
}

/// Shows what played an hour before midnight, and checks it against what was heard then.
pub(super) fn old_state(played: &Played, out: &mut Out) -> Result<OldState> {
    let at = played.clock.at(LOOK_BACK);
    let time = human::time(at).replace(' ', "T");
    let reference = format!("{}@{time}", Who::Guild.session());
    let restored = played.engine.restore(&reference)?;
    let state: serde_json::Value = restored.to().map_err(Failure::from)?;
    let playing = Playing::of(&state);
    check(
        playing == played.heard,
        "the old state is what was heard then",
    )?;
    if !out.is_json() {
        out.line(format!(
            "\n   What played then? {reference}:\n   {}",
            playing.sentence()
        ))?;
    }
    Ok(OldState {
        reference,
        id: restored.snapshot().id.to_string(),
        playing,
    })
}
