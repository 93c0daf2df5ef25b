use std::sync::Arc;

use dalsegno::Engine;
use dalsegno_sonora::{AUTO_SAVED, Bot, Keeping};

use crate::world::{node, options};

async fn bot(engine: &Arc<Engine>, node: &dalsegno_scripted::Node) -> Bot {
    let started = Bot::start(Arc::clone(engine), options(node), Keeping::default());
    started.await.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_listed_oldest_first_and_only_that() {
    let (folder, node) = (tempfile::tempdir().unwrap(), node());
    let engine = Arc::new(Engine::create(folder.path().join("store.db")).unwrap());
    let it = bot(&engine, &node).await;
    let player = it.get_player(1).await.unwrap();
    assert!(it.snapshots(1, &[]).unwrap().snapshots.is_empty());

    let (first, text) = it.take_snapshot(1, None, false, None).unwrap();
    assert_eq!(engine.restore(&first.id.to_string()).unwrap().text(), text);
    let (second, _) = it.take_snapshot(1, None, true, None).unwrap();
    assert_ne!(first.name, second.name, "twice in a second");
    player.set_volume(30).await.unwrap();
    it.save(None).await.unwrap();
    it.take_snapshot(1, Some("party"), false, None).unwrap();
    it.stop().await.unwrap();
    drop(it);

    let it = bot(&engine, &node).await;
    let names: Vec<_> = it.snapshots(1, &[]).unwrap().snapshots;
    let names: Vec<_> = names.into_iter().map(|it| it.label.unwrap()).collect();
    assert_eq!(names.len(), 3);
    assert_eq!(names[2], "party");
    assert_eq!(it.snapshots(1, &[AUTO_SAVED]).unwrap().snapshots.len(), 1);
    assert!(it.snapshots(2, &[]).unwrap().snapshots.is_empty());
    assert!(it.take_snapshot(2, None, false, None).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_goes_to_the_newest_and_is_still_said_of_the_older() {
    let (folder, node) = (tempfile::tempdir().unwrap(), node());
    let engine = Arc::new(Engine::create(folder.path().join("store.db")).unwrap());
    let it = bot(&engine, &node).await;
    let player = it.get_player(1).await.unwrap();
    it.take_snapshot(1, Some("party"), false, None).unwrap();
    player.set_volume(30).await.unwrap();
    let (newest, _) = it.take_snapshot(1, Some("party"), false, None).unwrap();
    assert_eq!(engine.info("party").unwrap().id, newest.id);
    let labels: Vec<_> = it.snapshots(1, &[]).unwrap().snapshots;
    assert!(labels.iter().all(|it| it.label.as_deref() == Some("party")));

    // No name that the engine takes.
    let named = it.name_snapshot(&newest.id.to_string(), "me@home").unwrap();
    assert_eq!(
        (named.label.as_deref(), named.name),
        (Some("me@home"), None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_timer_took_is_pruned() {
    let (folder, node) = (tempfile::tempdir().unwrap(), node());
    let engine = Arc::new(Engine::create(folder.path().join("store.db")).unwrap());
    let it = bot(&engine, &node).await;
    it.get_player(1).await.unwrap();
    it.take_snapshot(1, Some("own"), false, None).unwrap();
    let mut timed = Vec::new();
    for _ in 0..4 {
        timed.push(it.take_snapshot(1, None, true, None).unwrap().0);
    }
    engine.pin(&timed[0].id.to_string(), true).unwrap();
    assert_eq!(it.prune_snapshots(1, 2).unwrap(), 1);
    assert_eq!(it.prune_snapshots(1, 2).unwrap(), 0);
    let left: Vec<_> = it.snapshots(1, &[]).unwrap().snapshots;
    let left: Vec<_> = left.into_iter().map(|it| it.id).collect();
    assert_eq!(left.len(), 4);
    assert!(!left.contains(&timed[1].id));
}
