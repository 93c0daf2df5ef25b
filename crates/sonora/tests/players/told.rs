//! What is told of a restore afterwards: by the log, by undo, and of what cannot be read.

use dalsegno::{Engine, LogEntry, Status};
use dalsegno_scripted::{Fault, Rule};
use dalsegno_sonora::{Component, RESTORE, SAVE};
use serde_json::{Value, json};

use crate::asked::{ask, clear};
use crate::world::{bot, engine, node, options, playing};

/// What the newest entry of the log says of an operation: how far it came, from which snapshot, and why no further.
fn noted(engine: &Engine, session: &str) -> (Status, Option<String>, String) {
    match engine.log(session, 1).unwrap().remove(0) {
        LogEntry::Operation {
            status,
            from,
            failure,
            ..
        } => (
            status,
            from.map(|it| it.to_string()),
            failure.unwrap_or_default(),
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_failed_stands_in_the_log_whoever_asked_for_it() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    let party = engine.info("party").unwrap().id.to_string();
    clear(&bot, 1);
    player.skip().await.unwrap();
    let wanted: Value = engine.restore("party").unwrap().to().unwrap();
    node.script(Rule::new(Fault::Lie).on("PATCH", "**"));
    for who in ["another program", "its deed", "the bot"] {
        let from = match who {
            "another program" => {
                let restoring = json!({"from": "party"});
                ask(&folder, "sonora/1", RESTORE, restoring)
                    .await
                    .unwrap_err();
                Some(party.clone())
            }
            "its deed" => {
                let back = json!({"to": "party"});
                let answer = ask(&folder, "sonora/1", "rollback", back).await.unwrap();
                assert!(answer.not_told.is_some());
                Some(engine.info("sonora/1@latest").unwrap().id.to_string())
            }
            _ => {
                let all = &Component::ALL;
                player.load(&wanted, all).await.unwrap_err();
                None
            }
        };
        let (status, noted, why) = noted(&engine, "sonora/1");
        assert_eq!((status, noted), (Status::RolledBack, from), "{who}");
        assert!(why.contains("does not play"), "{who}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_changes_nothing_in_the_store_is_undone_all_the_same() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    player.pause(true).await.unwrap();
    ask(&folder, "sonora/1", SAVE, json!({"name": "party"}))
        .await
        .unwrap();
    let restored = ask(&folder, "sonora/1", RESTORE, json!({"from": "party"})).await;
    let restored = restored.unwrap().value;
    assert_eq!(restored["not_stored"], Value::Null);
    assert!(restored["head"]["id"].is_string(), "{restored}");
    assert_eq!(noted(&engine, "sonora/1").0, Status::Done);
    let undone = ask(&folder, "sonora/1", "undo", Value::Null).await.unwrap();
    assert_eq!(undone.not_told, None);
    let log = engine.log("sonora/1", 2).unwrap();
    let is_undone = |it: &LogEntry| matches!(it, LogEntry::Operation { undone: true, .. });
    assert!(is_undone(&log[1]), "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_named_in_plain_words_with_a_way_out() {
    let (node, folder) = (node(), tempfile::tempdir().unwrap());
    let engine = engine(&folder);
    let odd = json!({"queue": {"current": {"title": "a", "uri": {}}}});
    let nobodys = engine.save("sonora/9", &odd).commit().unwrap();
    let (bot, recovery) = bot(&engine, options(&node)).await;
    let player = playing(&bot, 1, 3).await;
    bot.save(None).await.unwrap();
    let its = engine.save("sonora/1", &odd).name("odd").commit().unwrap();
    let heard = node.heard(1).len();
    let restored = ask(&folder, "sonora/1", RESTORE, json!({"from": "odd"})).await;
    let rolled_back = ask(&folder, "sonora/1", "rollback", json!({"to": "odd"})).await;
    let emergency = bot.emergency_restore(1, Some("odd")).await.unwrap();
    let party: Value = serde_json::from_slice(&player.document().unwrap().to_text()).unwrap();
    let stored = dalsegno_sonora::restore_stored(&engine, "sonora/9", &party, &[Component::Queue]);
    let snapshot = engine.restore("sonora/9@latest").unwrap();
    for (said, of) in [
        (recovery.passed_over[0].1.to_string(), &nobodys),
        (restored.unwrap_err().to_string(), &its),
        (emergency.failed[0].1.clone(), &its),
        (stored.unwrap_err().to_string(), &nobodys),
        (
            dalsegno_sonora::LiveQueue::restored(9, &snapshot)
                .unwrap_err()
                .to_string(),
            &nobodys,
        ),
    ] {
        for words in [
            &*format!("snapshot {} of {}", of.id, of.session),
            "component queue",
            "current of the queue",
            "it is an object, and should be text",
            &format!("`snapshot list {}`", of.session),
        ] {
            assert!(said.contains(words), "{words:?} is not in: {said}");
        }
    }
    // The newest state is that one, and the player, which goes on as it was, says why it is not.
    let not_told = rolled_back.unwrap().not_told.unwrap();
    assert!(not_told.contains("should be text"), "{not_told}");
    assert!(node.heard(1).len() > heard, "only the last resort is heard");
    player.set_volume(30).await.unwrap();
}
