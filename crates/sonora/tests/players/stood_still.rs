//! A bot that stood still for longer than its leases hold.

use std::sync::Arc;

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::{Engine, Happened};
use dalsegno_sonora::QUEUE;
use serde_json::Value;

use crate::asked::ask;
use crate::world::{bot, engine, node, options, playing, queue};

/// A clock of a machine that is a minute ahead: what others said of themselves is old.
struct Later;

impl Clock for Later {
    fn now(&self) -> jiff::Timestamp {
        SystemClock.now()
    }
    fn random(&self) -> [u8; 16] {
        SystemClock.random()
    }
    fn uptime(&self) -> u64 {
        SystemClock.uptime() + 60_000
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_was_taken_for_gone_takes_its_players_back() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    bot.save(None).await.unwrap();
    let later = dalsegno::Options::default().clock(Arc::new(Later));
    let later: Engine = later.open(folder.path().join("store.db")).unwrap();
    let stored = later.restore("sonora/1@latest").unwrap().into_text();
    let named = later.save_json("sonora/1", stored).name("party");
    named.commit().unwrap();

    let events = engine.subscribe();
    player.skip().await.unwrap();
    bot.save(None).await.unwrap();
    let stored: Value = engine.restore("sonora/1@latest").unwrap().to().unwrap();
    assert_eq!(queue(&player.state()).0, Some("track-1"));
    assert_eq!(stored["queue"]["current"]["identifier"], "track-1");
    let mut told = events.map(|event| event.what);
    assert!(told.any(|it| matches!(it, Happened::LeaseLost { .. })));
    assert!(told.any(|it| matches!(it, Happened::Recovered { .. })));
    // It is asked as before.
    let live = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    assert!(live.by.is_some());
    assert_eq!(live.value["current"], "Title of track-1");
    bot.stop().await.unwrap();
}
