//! A game takes a snapshot every few turns, and goes back by itself where its state is broken.
//!
//! `cargo run -p dalsegno-claudmaster --example rollback`

#![allow(clippy::print_stdout)]

use std::sync::Arc;

use dalsegno::Engine;
use dalsegno_claudmaster::{Check, Guarded, Settings};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Game {
    turn_count: i64,
    conversation_history: Vec<String>,
    hit_points: i32,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let engine = Arc::new(Engine::create(folder.path().join("store.db"))?);
    let start = Game {
        turn_count: 0,
        conversation_history: Vec::new(),
        hit_points: 20,
    };
    let sound = Check::new(|game: &Game| {
        if (0..=20).contains(&game.hit_points) {
            Ok(())
        } else {
            Err(format!("{} hit points", game.hit_points))
        }
    });
    // `.serialised(start)` or `.shared(start)` in its place keeps the snapshots in memory only.
    let mut manager = Settings::new(|game: &Game| game.turn_count)
        .every(3)
        .check(sound)
        .durable(Arc::clone(&engine), "game/cellar", start)?;

    for turn in 1..=8 {
        let game = &mut manager.session;
        game.turn_count = turn;
        game.conversation_history
            .push(format!("I open door {turn}."));
        if turn == 8 {
            // An agent gets its sums wrong.
            game.hit_points -= 400;
        }
        let done = manager.turn_done()?;
        if let Some(snapshot) = done.snapshot {
            println!("turn {turn}: snapshot {}", snapshot.snapshot_id);
        }
        if let Guarded::RolledBack { .. } = done.guarded {
            println!("turn {turn}: {}", done.guarded);
        }
    }
    assert_eq!(manager.session.turn_count, 6);
    assert_eq!(manager.session.hit_points, 20);

    // `dalsegno log game/cellar` says the same.
    println!(
        "the store's log has {} entries",
        engine.log("game/cellar", 10)?.len()
    );
    Ok(())
}
