use std::sync::Arc;

use dalsegno::{Engine, ErrorKind};
use dalsegno_scripted::{Fault, Rule};
use dalsegno_sonora::{Bot, Component, How, Part, QUEUE, RESTORE, SAVE, STATE};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{bot, engine, node, options, playing, queue};

/// What another program is answered.
pub(crate) async fn ask(
    folder: &TempDir,
    session: &str,
    verb: &str,
    arguments: Value,
) -> dalsegno::Result<dalsegno::Answer> {
    let (other, session, verb) = (engine(folder), session.to_owned(), verb.to_owned());
    let asked = move || other.ask(&session, &verb).arguments(arguments).send();
    tokio::task::spawn_blocking(asked).await.unwrap()
}

pub(crate) fn clear(bot: &Bot, guild: u64) {
    let player = bot.client().player(guild).unwrap();
    player
        .edit(Some("clear"), |state| {
            state.queue.clear(Part::Upcoming);
            Ok(())
        })
        .unwrap();
}

fn head(engine: &Engine, session: &str) -> Value {
    engine
        .restore(&format!("{session}@latest"))
        .unwrap()
        .to()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_of_what_plays_now_and_says_its_numbers() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    playing(&bot, 1, 3).await;
    let saving = json!({"name": "party", "tags": ["friday"]});
    let answer = ask(&folder, "sonora/1", SAVE, saving).await.unwrap();
    let value = answer.value;
    assert_eq!(
        (&value["tracks"], &value["guild"]),
        (&json!(4), &json!(1)),
        "{value}"
    );
    assert_eq!(value["position"].as_u64().unwrap() / 1000, 45);
    let stored = engine.restore("party").unwrap();
    assert_eq!(stored.snapshot().tags, ["friday"]);
    let stored: Value = stored.to().unwrap();
    assert_eq!(stored["queue"]["upcoming"].as_array().unwrap().len(), 3);
    let live = ask(&folder, "sonora/1", QUEUE, Value::Null)
        .await
        .unwrap()
        .value;
    assert_eq!(
        (&live["upcoming"], &live["current"]),
        (&json!(3), &json!("Title of track-0"))
    );
    let state = ask(&folder, "sonora/1", STATE, Value::Null)
        .await
        .unwrap()
        .value;
    assert_eq!(state["queue"]["upcoming"], stored["queue"]["upcoming"]);
    let again = ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict, "{again}");
    for (verb, arguments) in [(SAVE, json!({"nam": "x"})), ("sonora.dance", Value::Null)] {
        let error = ask(&folder, "sonora/1", verb, arguments).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    bot.stop().await.unwrap();
    let error = ask(&folder, "sonora/1", SAVE, Value::Null)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_on_the_node_and_can_be_undone_there() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    clear(&bot, 1);
    player.skip().await.unwrap();
    player.set_volume(20).await.unwrap();
    assert_eq!(node.player(1).unwrap().identifier, None);
    let answer = ask(&folder, "sonora/1", RESTORE, json!({"from": "party"}))
        .await
        .unwrap();
    let value = answer.value;
    assert_eq!(
        (&value["upcoming"], &value["not_stored"]),
        (&json!(3), &json!(null)),
        "{value}"
    );
    let there = node.player(1).unwrap();
    assert_eq!(
        (there.identifier.as_deref(), there.volume),
        (Some("track-0"), 100)
    );
    assert_eq!(there.position / 1000, 45);
    assert_eq!(
        head(&engine, "sonora/1")["queue"]["upcoming"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    player.set_volume(100).await.unwrap();
    let undone = ask(&folder, "sonora/1", "undo", Value::Null).await.unwrap();
    assert_eq!(undone.not_told, None);
    let there = node.player(1).unwrap();
    assert_eq!((there.identifier, there.volume), (None, 20));
    assert_eq!(queue(&player.state()), (None, vec![]));
    ask(&folder, "sonora/1", "redo", Value::Null).await.unwrap();
    assert_eq!(
        node.player(1).unwrap().identifier.as_deref(),
        Some("track-0")
    );
    // It goes on as any other player.
    player.skip().await.unwrap();
    assert_eq!(queue(&player.state()).0, Some("track-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_and_another_guild_s_snapshot_take_what_was_asked_for() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    playing(&bot, 1, 3).await;
    let other = playing(&bot, 2, 0).await;
    other.connect(crate::world::voice(9)).await.unwrap();
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    let heard = node.heard(2).len();
    let restoring = json!({"from": "party", "components": ["queue"]});
    let value = ask(&folder, "sonora/2", RESTORE, restoring)
        .await
        .unwrap()
        .value;
    assert_eq!(
        (&value["guild"], &value["upcoming"]),
        (&json!(2), &json!(3)),
        "{value}"
    );
    assert_eq!(node.heard(2).len(), heard, "a queue cannot be heard");
    ask(&folder, "sonora/2", RESTORE, json!({"from": "party"}))
        .await
        .unwrap();
    assert_eq!((other.guild(), other.state().channel), (2, Some(9)));
    let error = ask(
        &folder,
        "sonora/2",
        RESTORE,
        json!({"from": "party", "components": ["sound"]}),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_node_does_not_do_it_whoever_asks_is_told() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    clear(&bot, 1);
    player.skip().await.unwrap();
    node.script(Rule::new(Fault::Lie).on("PATCH", "**"));
    let error = ask(&folder, "sonora/1", RESTORE, json!({"from": "party"}))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not play \"Title of track-0\""),
        "{error}"
    );
    assert!(head(&engine, "sonora/1")["queue"]["current"].is_null());
    // Of an engine's own deed, the stored state is what was asked for; the player is not.
    let answer = ask(&folder, "sonora/1", "rollback", json!({"to": "party"}))
        .await
        .unwrap();
    let not_told = answer.not_told.unwrap();
    assert!(not_told.contains("does not play"), "{not_told}");
    assert_eq!(queue(&player.state()), (None, vec![]));
    node.unscript();
    // It can be changed again.
    player.set_volume(10).await.unwrap();
    let answer = ask(&folder, "sonora/1", "rollback", json!({"to": "party"}))
        .await
        .unwrap();
    assert_eq!(answer.not_told, None);
    assert_eq!(
        node.player(1).unwrap().identifier.as_deref(),
        Some("track-0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_restored_while_no_bot_ran_is_put_on_the_node_at_the_next_start() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (first, _) = bot(&engine, options(&node)).await;
    let player = playing(&first, 1, 3).await;
    playing(&first, 2, 1).await;
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    player.skip().await.unwrap();
    player.skip().await.unwrap();
    let session = player.node().unwrap().session();
    first.stop().await.unwrap();
    ask(
        &folder,
        "sonora/1",
        "restore",
        json!({"from": engine.info("party").unwrap().id}),
    )
    .await
    .unwrap();

    // The node went on with what was last played.
    assert_eq!(
        node.player(1).unwrap().identifier.as_deref(),
        Some("track-2")
    );
    let (second, recovery) = bot(&Arc::clone(&engine), options(&node)).await;
    let how: Vec<_> = recovery
        .players
        .iter()
        .map(|it| (it.guild, &it.how))
        .collect();
    assert!(
        matches!(how[..], [(1, How::Restored), (2, How::Kept)]),
        "{how:?}"
    );
    let there = node.player(1).unwrap();
    assert_eq!(
        (there.identifier.as_deref(), there.position / 1000),
        (Some("track-0"), 45)
    );
    let player = second.client().player(1).unwrap();
    assert_eq!(queue(&player.state()).1.len(), 3);
    // The node's session went on for all of them.
    assert_eq!(player.node().unwrap().session(), session);
    second.stop().await.unwrap();
    let (_third, recovery) = bot(&engine, options(&node)).await;
    assert!(
        recovery
            .players
            .iter()
            .all(|it| matches!(it.how, How::Kept)),
        "{recovery:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_restored_for_a_guild_without_a_player_plays_once_it_has_one() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    playing(&bot, 1, 3).await;
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    bot.destroy(1).await.unwrap();
    assert!(node.player(1).is_none());
    let party: Value = engine.restore("party").unwrap().to().unwrap();
    dalsegno_sonora::restore_stored(&engine, "sonora/1", &party, &Component::ALL).unwrap();
    let player = bot.get_player(1).await.unwrap();
    assert_eq!(queue(&player.state()).1.len(), 3);
    let there = node.player(1).unwrap();
    assert_eq!(there.identifier.as_deref(), Some("track-0"));
    assert_eq!(there.position / 1000, 45);
    // It is put there once.
    bot.destroy(1).await.unwrap();
    let player = bot.get_player(1).await.unwrap();
    assert!(player.state().is_idle());
}
