//! The evening is played, and every state of it saved.

use std::sync::Arc;
use std::time::Instant;

use dalsegno::{Engine, Snapshot};
use jiff::Timestamp;
use serde::Serialize;

use super::clock::EveningClock;
use super::evening::{Evening, Playing, STEPS, Who};
use super::house::House;
use super::proof::Kept;
use crate::failure::Result;
use crate::output::Out;
use crate::{human, when};

/// The step at whose state the demo looks back: an hour before midnight.
pub(super) const LOOK_BACK: u32 = 90;

/// The evening as it was played, with the store still open.
pub(super) struct Played {
    pub(super) engine: Engine,
    pub(super) clock: Arc<EveningClock>,
    pub(super) evening: Evening,
    /// What was saved.
    pub(super) kept: Vec<Kept>,
    /// What the guild heard when the demo looks back.
    pub(super) heard: Playing,
    pub(super) facts: Facts,
}

/// What the evening came to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Facts {
    sessions: Vec<&'static str>,
    steps: u32,
    saves: u64,
    from: Timestamp,
    until: Timestamp,
    seconds: f64,
    milliseconds_per_save: f64,
}

impl Played {
    /// Closes the store; what was saved is to be checked later.
    pub(super) fn close(self) -> Result<Vec<Kept>> {
        self.engine.close()?;
        Ok(self.kept)
    }
}

/// Plays the evening.
pub(super) fn play(house: &House, out: &mut Out) -> Result<Played> {
    let clock = Arc::new(EveningClock::new()?);
    let engine = house.open_at(Arc::clone(&clock) as _)?;
    let mut evening = Evening::begin()?;
    let mut heard = evening.playing();
    let mut kept = Vec::new();
    let mut saving = std::time::Duration::ZERO;
    for who in Who::ALL {
        kept.push(save(&engine, &evening, who, &mut saving)?);
    }
    for step in 1..=STEPS {
        evening.step()?;
        clock.set(step);
        for who in evening.changed() {
            kept.push(save(&engine, &evening, who, &mut saving)?);
        }
        if step == LOOK_BACK {
            heard = evening.playing();
        }
    }
    let saves = u64::try_from(kept.len()).unwrap_or(u64::MAX);
    let per_save = saving.as_secs_f64() * 1e3 / f64::from(u32::try_from(saves).unwrap_or(u32::MAX));
    let facts = Facts {
        sessions: Who::ALL.map(Who::session).to_vec(),
        steps: STEPS,
        saves,
        from: clock.at(0),
        until: clock.at(STEPS),
        seconds: saving.as_secs_f64(),
        milliseconds_per_save: per_save,
    };
    if !out.is_json() {
        for who in Who::ALL {
            let begins = human::length(who.file().len());
            let what = match who {
                Who::Guild => "a guild's player: the position moves, tracks end",
                Who::Game => "a game: turns are played",
                Who::Chat => "a chat: messages arrive, one answer is regenerated",
            };
            out.line(format!("   {:<18} {begins:>11}  {what}", who.session()))?;
        }
        out.line(format!(
            "   Yesterday from {} to {}, {STEPS} steps of two minutes: {}.\n   \
             They took {}, {per_save:.1} ms each, and every one was on the disk before the next began.",
            human::time(facts.from),
            human::time(facts.until),
            human::count(saves, "save"),
            when::seconds(saving),
        ))?;
    }
    Ok(Played {
        engine,
        clock,
        evening,
        kept,
        heard,
        facts,
    })
}

fn save(
    engine: &Engine,
    evening: &Evening,
    who: Who,
    saving: &mut std::time::Duration,
) -> Result<Kept> {
    let text = evening.text(who);
    let begun = Instant::now();
    let saved: Snapshot = engine.save_json(who.session(), text).commit()?;
    *saving += begun.elapsed();
    Ok(Kept::told(evening.steps(), who, saved.id.to_string()))
}
