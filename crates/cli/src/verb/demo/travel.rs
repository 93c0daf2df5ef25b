//! There and back: what changed, a rollback that is undone, and what a cleanup would do.

use dalsegno::retention::Rules;
use dalsegno::{Back, Cleanup, Engine};
use serde::Serialize;

use super::check;
use super::evening::Who;
use crate::failure::Result;
use crate::output::Out;
use crate::verb::snapshot::diff;
use crate::{human, style};

/// How far the game goes back.
const STEPS: u32 = 3;

/// Of one component, this many differences are shown.
const EACH: usize = 3;

/// How many states of each session a cleanup is to keep.
const LAST: u32 = 20;

/// Where the game went, and what it was like.
#[derive(Debug, Serialize)]
pub(super) struct Travel {
    differences: u64,
    from_turn: Option<i64>,
    back_to_turn: Option<i64>,
    undone: bool,
}

/// Compares the chat's last two states, takes the game back, and undoes that.
pub(super) fn there_and_back(engine: &Engine, out: &mut Out) -> Result<Travel> {
    let chat = Who::Chat.session();
    let found = engine.diff(&format!("{chat}@-1"), &format!("{chat}@latest"))?;
    let counts = found.counts();
    let differences = counts.added + counts.removed + counts.moved + counts.changed;
    check(differences > 0, "the chat's last two states differ")?;

    let game = Who::Game.session();
    let latest = format!("{game}@latest");
    let before = engine.restore(&latest)?;
    let back = engine.rollback(game, &Back::Steps(STEPS))?.apply()?;
    check(back.plan.changes, "the game went back")?;
    let there = engine.restore(&latest)?;
    engine.undo(game)?.apply()?;
    let after = engine.restore(&latest)?;
    check(
        after.text() == before.text(),
        "after the undo the game is as it was, byte for byte",
    )?;
    let travel = Travel {
        differences: differences as u64,
        from_turn: before.snapshot().turn,
        back_to_turn: there.snapshot().turn,
        undone: true,
    };
    if out.is_json() {
        return Ok(travel);
    }
    out.line(format!("   The last two states of {chat} differ so:"))?;
    for line in found.lines(EACH).iter().map(diff::line) {
        out.line(format!("     {line}"))?;
    }
    let turn = |turn: Option<i64>| turn.map_or_else(String::new, |turn| turn.to_string());
    out.line(format!(
        "   {game} went from turn {} back to turn {}, which was {}: it is as it was, byte for byte.",
        turn(travel.from_turn),
        turn(travel.back_to_turn),
        style::good("undone"),
    ))?;
    Ok(travel)
}

/// What a cleanup would do.
#[derive(Debug, Serialize)]
pub(super) struct Thinned {
    deleted: u64,
    kept: u64,
    frees: u64,
}

/// Plans to thin the evening; nothing is changed.
pub(super) fn thinned(engine: &Engine, out: &mut Out) -> Result<Thinned> {
    let plan = engine.cleanup_plan(&Cleanup {
        rules: Some(Rules::new().keep_last(LAST).keep_hourly(24)),
        ..Cleanup::default()
    })?;
    check(plan.deleted > 0, "there is something to thin")?;
    if !out.is_json() {
        out.line(format!(
            "   A cleanup that keeps the last {LAST} states of each session and one an hour would delete {}\n   \
             of {} and free about {}; each would be {} days in the trash first.",
            plan.deleted,
            plan.deleted + plan.kept,
            human::size(plan.frees),
            dalsegno::GRACE.as_hours() / 24,
        ))?;
    }
    Ok(Thinned {
        deleted: plan.deleted,
        kept: plan.kept,
        frees: plan.frees,
    })
}
