//! A web UI keeps many chats at once: saves that wait together share one commit, and `submit` does not
//! wait at all.
//!
//! `cargo run -p dalsegno --example chat`

#![allow(clippy::print_stdout)]

use dalsegno::{Engine, Error, Query, Result};

fn main() -> Result<()> {
    let folder = tempfile::tempdir().map_err(|e| Error::io("a folder", e))?;
    let engine = Engine::create(folder.path().join("store.db"))?;

    // From asynchronous code: a ticket is a future, and any executor will do.
    let saved = pollster::block_on(async {
        let text = r#"{"messages": [{"role": "user", "content": "hello"}]}"#;
        engine.save_json("chat/first", text).submit().await
    })?;
    println!("saved {} bytes as {}", saved.size, saved.id);

    // From threads: a hundred chats, one writer.
    let tickets: Vec<_> = (0..100)
        .map(|n| {
            engine
                .save(
                    &format!("chat/{n}"),
                    &serde_json::json!({ "messages": [n] }),
                )
                .submit()
        })
        .collect();
    for ticket in tickets {
        ticket.wait()?;
    }

    // Bad input is refused, by name, and changes nothing.
    let refused = engine
        .save_json("chat/first", r#"{"messages": [torn"#)
        .commit();
    println!(
        "refused: {}",
        refused.err().map_or_else(String::new, |e| e.to_string())
    );

    let page = engine.list(&Query {
        limit: 3,
        ..Query::default()
    })?;
    for snapshot in &page.snapshots {
        println!("{}  {}", snapshot.id, snapshot.session);
    }
    assert_eq!(engine.sessions()?.len(), 101);
    engine.close()
}
