use dalsegno_scripted::{End, Event, Sound};
use dalsegno_sonora::{Happened, LoopMode};

use crate::world::{client, node, playing_one, queue, tracks, voice};

#[tokio::test]
async fn tracks_follow_each_other_and_are_heard() {
    let node = node();
    let client = client(&node).await;
    let mut told = client.subscribe();
    let player = client.get_player(7);
    player.connect(voice(5)).await.unwrap();
    let mut found = tracks(&client, 0..3).await;
    let rest = found.split_off(1);
    player.play(found.remove(0)).await.unwrap();
    player
        .edit(None, |state| state.queue.add_many(rest, None))
        .unwrap();

    assert!(node.raise(7, Event::End(End::Finished)));
    node.until(|node| {
        node.player(7)
            .is_some_and(|it| it.identifier.as_deref() == Some("track-1"))
    })
    .await
    .unwrap();
    player.skip().await.unwrap();
    assert_eq!(queue(&player.state()), (Some("track-2"), vec![]));
    assert_eq!(player.state().queue.history.len(), 2);

    let heard: Vec<String> = node
        .heard(7)
        .into_iter()
        .filter_map(|heard| match heard.sound {
            Sound::Started {
                identifier,
                position: 0,
            } => Some(identifier),
            _ => None,
        })
        .collect();
    assert_eq!(heard, ["track-0", "track-1", "track-2"]);

    assert!(node.raise(7, Event::End(End::Finished)));
    loop {
        if told.recv().await.unwrap().what == Happened::QueueEmpty {
            break;
        }
    }
    assert_eq!(queue(&player.state()), (None, vec![]));
}

#[tokio::test]
async fn what_the_node_refuses_leaves_the_player_as_it_was() {
    let node = node();
    let client = client(&node).await;
    let player = client.get_player(7);
    let mut found = tracks(&client, 0..2).await;
    player.play(found.remove(0)).await.unwrap();
    let mut broken = found.remove(0);
    broken.encoded = "no track".to_owned();
    broken.info.uri = None;
    broken.info.identifier = "nowhere".to_owned();
    let error = player.play(broken).await.unwrap_err();
    assert_eq!(error.kind(), dalsegno::ErrorKind::NotFound, "{error}");
    assert_eq!(queue(&player.state()), (Some("track-0"), vec![]));
    assert_eq!(
        node.player(7).unwrap().identifier.as_deref(),
        Some("track-0")
    );
    assert!(player.set_volume(1001).await.is_err());
    player.set_volume(30).await.unwrap();
    assert_eq!(node.player(7).unwrap().volume, 30);
}

#[tokio::test]
async fn a_track_that_cannot_be_read_any_more_is_looked_up_again() {
    let node = node();
    let client = client(&node).await;
    let player = client.get_player(7);
    let mut track = tracks(&client, 0..1).await.remove(0);
    "restored_track-0".clone_into(&mut track.encoded);
    player.play(track).await.unwrap();
    assert_eq!(
        node.player(7).unwrap().identifier.as_deref(),
        Some("track-0")
    );
    assert_ne!(
        player.state().queue.current.unwrap().encoded,
        "restored_track-0"
    );
}

#[tokio::test]
async fn a_looped_track_begins_again() {
    let node = node();
    let client = client(&node).await;
    let player = playing_one(&client).await;
    player
        .edit(None, |state| {
            state.queue.loop_mode = LoopMode::Track;
            Ok(())
        })
        .unwrap();
    assert!(node.raise(7, Event::End(End::Finished)));
    let starts = |node: &dalsegno_scripted::Node| {
        node.heard(7)
            .iter()
            .filter(|heard| matches!(heard.sound, Sound::Started { .. }))
            .count()
    };
    node.until(|node| starts(node) == 2).await.unwrap();
    assert!(player.state().queue.history.is_empty());
}

#[tokio::test]
async fn autoplay_goes_on_with_what_the_node_finds() {
    let node = node();
    let client = client(&node).await;
    let player = playing_one(&client).await;
    player
        .edit(None, |state| {
            state.queue.loop_mode = LoopMode::Autoplay;
            Ok(())
        })
        .unwrap();
    assert!(node.raise(7, Event::End(End::Finished)));
    let other = |node: &dalsegno_scripted::Node| {
        node.player(7)
            .is_some_and(|it| it.identifier.is_some_and(|it| it != "track-0"))
    };
    node.until(other).await.unwrap();
    assert_eq!(player.state().queue.history.len(), 1);
}

#[tokio::test]
async fn a_track_that_nobody_heard_for_too_long_begins_with_the_voice() {
    let clock = dalsegno_scripted::TestClock::new();
    let options = dalsegno_scripted::Options {
        clock: dalsegno_scripted::Clock::Test(clock.clone()),
        ..dalsegno_scripted::Options::default()
    };
    let node = dalsegno_scripted::Node::start(options).unwrap();
    let client = client(&node).await;
    let player = client.get_player(7);
    player
        .play(tracks(&client, 0..1).await.remove(0))
        .await
        .unwrap();
    player.seek(20_000).await.unwrap();
    clock.advance(std::time::Duration::from_secs(120));
    assert_eq!(node.player(7).unwrap().identifier, None);
    player.connect(voice(5)).await.unwrap();
    let there = node.player(7).unwrap();
    assert_eq!(
        (there.identifier.as_deref(), there.position),
        (Some("track-0"), 20_000)
    );
}
