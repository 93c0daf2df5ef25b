//! A music bot keeps its player: save by value, look back, and bring back only the queue.
//!
//! `cargo run -p dalsegno --example player`

#![allow(clippy::print_stdout)]

use dalsegno::{Engine, Result};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Player {
    volume: u16,
    queue: Vec<String>,
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(|e| dalsegno::Error::io("a folder", e))?;
    let engine = Engine::create(folder.path().join("store.db"))?;

    let mut player = Player {
        volume: 75,
        queue: vec!["Blue Train".into(), "So What".into()],
    };
    let party = engine
        .save("bot/42", &player)
        .name("party")
        .tag("friday")
        .commit()?;
    println!("saved {} as {:?}", party.id, party.name);

    player.queue.clear();
    player.volume = 30;
    engine.save("bot/42", &player).commit()?;

    // What was it like before? References are ids, names, SESSION@-1, SESSION@2026-11-20T10:00 …
    let before: Player = engine.restore("bot/42@-1")?.to()?;
    assert_eq!(before.queue.len(), 2);

    // Only the queue comes back; the volume stays as it is now.
    let restore = engine.put_back("party").component("queue");
    for change in restore.plan()?.components {
        println!("{:8} {:?}", change.name, change.change);
    }
    restore.apply()?;

    let now: Player = engine.restore("bot/42@latest")?.to()?;
    assert_eq!(
        now,
        Player {
            volume: 30,
            queue: before.queue
        }
    );
    println!("now {now:?}");

    assert!(engine.verify(None)?.is_intact());
    engine.close()
}
