//! What is done while something else takes its time. The node's clock stands still, so that it takes as long as the test
//! says.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, ErrorKind, Event, Happened};
use dalsegno_scripted::{self as scripted, Clock, Fault, Node, Rule, TestClock};
use dalsegno_sonora::{Client, Component, Options, QUEUE, RESTORE, STATE};
use serde_json::json;

use crate::world::{
    BOT, Channels, address, bot, document, engine, hold, options, playing, queue, tracks,
};

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

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_does_not_wait_for_a_restore_that_hangs() {
    let (clock, folder) = (TestClock::new(), tempfile::tempdir().unwrap());
    let (node, engine) = (node(&clock), engine(&folder));
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    bot.save(Some(1)).await.unwrap();
    let to = engine.info("sonora/1@latest").unwrap().id;
    player.skip().await.unwrap();
    hang(&node);
    let other = crate::world::engine(&folder);
    let ask = |verb: &'static str, arguments| {
        let other = Arc::clone(&other);
        let ask = move || other.ask("sonora/1", verb).arguments(arguments).send();
        tokio::task::spawn_blocking(ask)
    };
    let restored = ask(RESTORE, json!({"from": to}));
    hangs(&node).await;
    let seen = ask(QUEUE, json!(null)).await.unwrap().unwrap().value;
    assert_eq!(
        (&seen["current"], &seen["upcoming"]),
        (&json!("Title of track-1"), &json!(2))
    );
    let still = seen["still"].as_str().unwrap();
    assert!(still.contains("guild 1 is restored for"), "{still}");
    let state = ask(STATE, json!(null)).await.unwrap().unwrap().value;
    assert_eq!(state["queue"]["current"]["identifier"], "track-1");
    clock.advance(Duration::from_secs(1));
    restored.await.unwrap().unwrap();
    let seen = ask(QUEUE, json!(null)).await.unwrap().unwrap().value;
    assert_eq!(seen["current"], "Title of track-0");
    assert_eq!(seen.get("still"), None);
}

/// A node that is gone is not waited for by whoever has the turn of a player that is to go on elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_that_is_gone_was_told_holds_up_no_other_node() {
    for command in ["skip", "load"] {
        let clock = TestClock::new();
        let mut nodes = [node(&clock), node(&clock)];
        let options = Options::new(BOT)
            .node("0", address(&nodes[0]))
            .node("1", address(&nodes[1]))
            .hold(hold())
            .fail_over(Duration::ZERO)
            .patience(Duration::from_secs(3_600))
            .voice(Arc::new(Channels));
        let client = Client::start(options).await.unwrap();
        let player = client.get_player(1);
        player.connect(crate::world::voice(5)).await.unwrap();
        let mut found = tracks(&client, 0..2).await;
        player.play(found.remove(0)).await.unwrap();
        let next = found.remove(0);
        player
            .edit(None, |state| state.queue.add(next, None))
            .unwrap();
        let before = document(&player);
        let on: usize = player.node().unwrap().name().parse().unwrap();
        hang(&nodes[on]);
        let told = tokio::spawn({
            let player = player.clone();
            async move {
                match command {
                    "skip" => player.skip().await,
                    _ => player.load(&before, &Component::ALL).await.map(drop),
                }
            }
        });
        hangs(&nodes[on]).await;
        nodes[on].kill();
        let error = tokio::time::timeout(LONG, told).await.unwrap();
        let error = error.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{command}: {error}");
        let plays = |node: &Node| {
            let there = node.player(1);
            there.is_some_and(|it| it.identifier.as_deref() == Some("track-0") && it.connected)
        };
        nodes[1 - on].until(plays).await.unwrap();
        assert_eq!(queue(&player.state()), (Some("track-0"), vec!["track-1"]));
    }
}

/// Nor is a player forgotten that stands still for another program's request when its node goes.
#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_is_restored_when_its_node_goes_plays_on_elsewhere() {
    let (clock, folder) = (TestClock::new(), tempfile::tempdir().unwrap());
    let mut nodes = [node(&clock), node(&clock)];
    let options = Options::new(BOT)
        .node("0", address(&nodes[0]))
        .node("1", address(&nodes[1]))
        .hold(hold())
        .fail_over(Duration::ZERO)
        .patience(Duration::from_secs(3_600))
        .voice(Arc::new(Channels));
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options).await;
    let player = playing(&bot, 1, 3).await;
    bot.save(Some(1)).await.unwrap();
    let to = engine.info("sonora/1@latest").unwrap().id;
    player.skip().await.unwrap();
    hang(&nodes[0]);
    let other = crate::world::engine(&folder);
    let ask = move || {
        let ask = other.ask("sonora/1", RESTORE);
        ask.arguments(json!({"from": to})).send()
    };
    let asked = tokio::task::spawn_blocking(ask);
    hangs(&nodes[0]).await;
    nodes[0].kill();
    let error = asked.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
    let plays = |node: &Node| {
        let there = node.player(1);
        there.is_some_and(|it| it.identifier.as_deref() == Some("track-1") && it.connected)
    };
    nodes[1].until(plays).await.unwrap();
}
