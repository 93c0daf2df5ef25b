//! The memory of snapshots: what a process of its own takes for them, way by way.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use dalsegno_claudmaster::Settings;
use serde_json::Value;

use super::form::{Session, Shared};
use crate::measure::memory::resident;
use crate::workload::game::{GameDay, GameState, Played};

/// After how many snapshots it is looked at.
pub const AFTER: [usize; 3] = [1, 10, 100];

/// Bytes that the process held after each of [`AFTER`].
pub type Held = [u64; AFTER.len()];

/// The ways, in the order of the table; the first takes none.
pub const WAYS: [&str; 4] = ["none", "shared", "serialised", "deep-clone"];

/// Measures a way in a process of its own, where nothing else was allocated and freed before.
pub fn of(seed: u64, way: &str, entries: usize) -> Result<Held> {
    let program = std::env::current_exe()?;
    let output = Command::new(program)
        .args([
            "p5-memory",
            way,
            &entries.to_string(),
            "--seed",
            &seed.to_string(),
        ])
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What that process does and prints.
pub fn child(seed: u64, way: &str, entries: usize) -> Result<String> {
    let mut game = GameDay::of_length(seed, entries);
    let start = game.state().clone();
    let turns: Vec<Played> = (0..AFTER[AFTER.len() - 1]).map(|_| game.play()).collect();
    drop(game);
    let held = match way {
        "none" => play::<GameState>(&start, &turns, |_| Ok(()))?,
        "deep-clone" => {
            let mut kept = Vec::new();
            play::<Value>(&start, &turns, |session| {
                kept.push(session.clone());
                Ok(())
            })?
        }
        "shared" => {
            let mut manager = Settings::new(Shared::turn)
                .max_snapshots(usize::MAX)
                .shared(Shared::of(&start)?);
            play_in(&turns, |turn| {
                manager.session.play(turn)?;
                manager.create_snapshot("turn")?;
                Ok(())
            })?
        }
        "serialised" => {
            let mut manager = Settings::new(GameState::turn)
                .max_snapshots(usize::MAX)
                .serialised(start.clone());
            play_in(&turns, |turn| {
                manager.session.play(turn)?;
                manager.create_snapshot("turn")?;
                Ok(())
            })?
        }
        other => bail!("{other} is no way to keep snapshots"),
    };
    Ok(serde_json::to_string(&held)?)
}

fn play<S: Session>(
    start: &GameState,
    turns: &[Played],
    mut keep: impl FnMut(&S) -> Result<()>,
) -> Result<Held> {
    let mut session = S::of(start)?;
    play_in(turns, |turn| {
        session.play(turn)?;
        keep(&session)
    })
}

fn play_in(turns: &[Played], mut step: impl FnMut(&Played) -> Result<()>) -> Result<Held> {
    let mut held = Held::default();
    for (turn, taken) in turns.iter().zip(1..) {
        step(turn)?;
        if let Some(at) = AFTER.iter().position(|after| *after == taken) {
            held[at] = resident().context("only Linux tells the memory of a process")?;
        }
    }
    Ok(held)
}
