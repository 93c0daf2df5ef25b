//! A game keeps its history in shared form: a save then costs what changed, however long the game is.
//!
//! `cargo run -p dalsegno --example game`

#![allow(clippy::print_stdout)]

use dalsegno::{DocumentBuilder, Engine, Error, List, Result};
use serde::Serialize;

#[derive(Serialize)]
struct Turn {
    speaker: &'static str,
    text: String,
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(|e| Error::io("a folder", e))?;
    let engine = Engine::create(folder.path().join("store.db"))?;

    let mut history: List<Turn> = List::new();
    for turn in 1..=120 {
        history.push_back(Turn {
            speaker: "player",
            text: format!("I open door {turn}."),
        });
        let answer = format!("Behind door {turn} there is another corridor, darker than the last.");
        history.push_back(Turn {
            speaker: "narrator",
            text: answer,
        });

        let document = DocumentBuilder::new()
            .member("turn_count", &turn)?
            .list("conversation_history", &history)?
            .finish();
        engine
            .save_document("game/cellar", document)
            .turn(turn)
            .submit()
            .wait()?;
    }

    let then = engine.restore("game/cellar@turn:42")?;
    let turns: serde_json::Value = then.to()?;
    assert_eq!(
        turns["conversation_history"].as_array().map(Vec::len),
        Some(84)
    );
    println!(
        "turn 42 had {} bytes; its record took {}",
        then.text().len(),
        then.snapshot().stored_size
    );

    assert!(engine.verify(Some("game/cellar"))?.is_intact());
    engine.close()
}
