//! What is done while something else takes its time. The node's clock stands still, so that it takes as long as the test
//! says.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, Event, Happened};
use dalsegno_scripted::{self as scripted, Clock, Fault, Node, Rule, TestClock};
use dalsegno_sonora::RESTORE;
use serde_json::json;

use crate::world::{bot, engine, options, playing};

const LONG: Duration = Duration::from_secs(60);
const PLAYER: &str = "/v4/sessions/*/players/1";

fn node(clock: &TestClock) -> Node {
    let options = scripted::Options {
        clock: Clock::Test(clock.clone()),
        ..scripted::Options::default()
    };
    Node::start(options).unwrap()
}

/// The next change of guild 1 is answered once the clock has moved on by a second.
fn hang(node: &Node) {
    node.script(
        Rule::new(Fault::Slow(Duration::from_secs(1)))
            .on("PATCH", PLAYER)
            .times(1),
    );
}

async fn hangs(node: &Node) {
    let at_work = |node: &Node| {
        let seen = node.requests();
        let last = seen.iter().rfind(|it| it.path.ends_with("/players/1"));
        last.is_some_and(|it| it.method == "PATCH" && it.status.is_none())
    };
    node.until(at_work).await.unwrap();
}

/// Waits until the session is saved by itself, or because somebody asked for it.
async fn saved(listener: dalsegno::Subscription, session: &str) {
    let session = session.to_owned();
    let is_it = move |event: &Event| {
        matches!(event.what, Happened::AutoSaved { .. })
            && event.session.as_deref() == Some(&session)
    };
    let wait = move || while !is_it(&listener.wait(LONG).unwrap()) {};
    tokio::task::spawn_blocking(wait).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_waits_for_what_another_program_asked_for() {
    let (clock, folder) = (TestClock::new(), tempfile::tempdir().unwrap());
    let (node, engine) = (node(&clock), engine(&folder));
    let (bot, _) = bot(&engine, options(&node)).await;
    let bot = Arc::new(bot);
    let player = playing(&bot, 1, 3).await;
    playing(&bot, 2, 0).await;
    player.pause(true).await.unwrap();
    bot.save(None).await.unwrap();
    let to = engine.info("sonora/1@latest").unwrap().id;
    let other = crate::world::engine(&folder);
    for (verb, arguments) in [
        ("rollback", json!({"to": to})),
        (RESTORE, json!({"from": to})),
    ] {
        player.set_volume(30).await.unwrap();
        bot.save(None).await.unwrap();
        hang(&node);
        let asked = {
            let other: Arc<Engine> = Arc::clone(&other);
            let ask = move || other.ask("sonora/1", verb).arguments(arguments).send();
            tokio::task::spawn_blocking(ask)
        };
        hangs(&node).await;
        let listener = engine.subscribe();
        let saving = tokio::spawn({
            let bot = Arc::clone(&bot);
            async move { bot.save(None).await }
        });
        // The others are saved at once.
        saved(listener, "sonora/2").await;
        bot.save(Some(2)).await.unwrap();
        assert!(!saving.is_finished(), "{verb}");
        clock.advance(Duration::from_secs(1));
        asked.await.unwrap().unwrap();
        saving.await.unwrap().unwrap();
        assert_eq!(player.state().volume, 100, "{verb}");
        let stored: serde_json::Value = engine.restore("sonora/1@latest").unwrap().to().unwrap();
        assert_eq!(stored["player"]["volume"], 100, "{verb}");
    }
}
