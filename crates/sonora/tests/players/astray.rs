//! What a node does not play is not said to play.

use dalsegno::{Engine, LogEntry};
use dalsegno_scripted::{Fault, Rule};
use dalsegno_sonora::{Happened, How, QUEUE, RESTORE, SAVE};
use serde_json::{Value, json};

use crate::asked::ask;
use crate::world::{bot, engine, node, options, playing};

fn refused() -> Rule {
    Rule::new(Fault::Status(400)).on("PATCH", "/v4/sessions/*/players/*")
}

/// The restores that failed, as the log has them: why, and whether what was before could not be put back either.
fn failures(engine: &Engine) -> Vec<(String, bool)> {
    let log = engine.log("sonora/1", 100).unwrap();
    let failed = log.into_iter().filter_map(|entry| match entry {
        LogEntry::Operation {
            failure: Some(why),
            not_put_back,
            ..
        } => Some((why, not_put_back)),
        _ => None,
    });
    failed.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_brought_back_is_not_said_to_play() {
    let (gone, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (first, _) = bot(&engine, options(&gone)).await;
    playing(&first, 1, 3).await;
    first.stop().await.unwrap();
    let before: Value = engine.restore("sonora/1@latest").unwrap().to().unwrap();

    let node = node();
    node.script(refused());
    let (bot, recovery) = bot(&engine, options(&node)).await;
    assert!(
        matches!(recovery.players[0].how, How::Failed { .. }),
        "{recovery:?}"
    );
    let not_there = |value: &Value| {
        let still = value["still"].as_str().unwrap_or_default();
        assert!(still.starts_with("not on the node: "), "{value}");
    };
    let queue = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    not_there(&queue.value);
    let saved = ask(&folder, "sonora/1", SAVE, Value::Null).await.unwrap();
    not_there(&saved.value);
    let after: Value = engine.restore("sonora/1@latest").unwrap().to().unwrap();
    assert_eq!(after["queue"], before["queue"]);
    let failed = failures(&engine);
    assert!(
        matches!(&failed[..], [(why, true)] if why.contains("400")),
        "{failed:?}"
    );

    // Once it plays, it is said as ever.
    node.unscript();
    let id = engine.info("sonora/1@latest").unwrap().id.to_string();
    ask(&folder, "sonora/1", RESTORE, json!({"from": id}))
        .await
        .unwrap();
    let queue = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    assert!(queue.value["still"].is_null(), "{}", queue.value);
    bot.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_node_that_is_gone_nothing_is_said_that_it_did_not_say() {
    let (mut node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    player.set_volume(80).await.unwrap();
    let mut told = bot.client().subscribe();
    node.kill();
    while !matches!(told.recv().await.unwrap().what, Happened::NodeLost(..)) {}
    let first = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    let saved = ask(&folder, "sonora/1", SAVE, Value::Null).await.unwrap();
    let stored: Value = engine.restore("sonora/1@latest").unwrap().to().unwrap();
    assert_eq!(saved.value["position"], stored["player"]["position"]);
    let second = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    for value in [first.value, second.value, saved.value] {
        assert_eq!(value["position"], stored["player"]["position"]);
        let still = value["still"].as_str().unwrap_or_default();
        assert!(still.contains("the node main does not answer"), "{value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_where_what_was_before_could_not_be_put_back_either() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    player.skip().await.unwrap();
    let restore = json!({"from": "party"});
    // It is told twice: on that node, the track may have another name.
    node.script(refused().times(2));
    ask(&folder, "sonora/1", RESTORE, restore.clone())
        .await
        .unwrap_err();
    let queue = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    assert!(queue.value["still"].is_null(), "{}", queue.value);
    node.script(refused());
    let error = ask(&folder, "sonora/1", RESTORE, restore)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("could not be put back either"),
        "{error}"
    );
    let said: Vec<bool> = failures(&engine).into_iter().map(|(_, not)| not).collect();
    // The newest first.
    assert_eq!(said, [true, false]);
    let queue = ask(&folder, "sonora/1", QUEUE, Value::Null).await.unwrap();
    let still = queue.value["still"].as_str().unwrap_or_default();
    assert!(still.contains("may play something else"), "{still}");
    node.unscript();
    bot.stop().await.unwrap();
}
