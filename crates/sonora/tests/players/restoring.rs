use dalsegno::ErrorKind;
use dalsegno_scripted::{Fault, Rule};
use dalsegno_sonora::Component;
use serde_json::{Value, json};

use crate::world::{client, document, node, playing_all, queue};

#[tokio::test]
async fn a_snapshot_comes_back_whole_and_it_was_paused() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let before = document(&player);
    player.reset().await.unwrap();
    assert_eq!(queue(&player.state()), (None, vec![]));
    assert_eq!(
        (player.state().volume, node.player(7).unwrap().identifier),
        (100, None)
    );

    let loaded = player.load(&before, &Component::ALL).await.unwrap();
    assert_eq!((loaded.upcoming, loaded.position / 1000), (3, 45));
    let there = node.player(7).unwrap();
    assert_eq!(there.identifier.as_deref(), Some("track-0"));
    assert_eq!(
        (there.volume, there.paused, there.position / 1000),
        (30, true, 45)
    );
    assert_eq!(there.filters["timescale"]["speed"], 1.2);
    let mut after = document(&player);
    // On this node, the text of a track tells where it is.
    for document in [&mut after, &mut before.clone()] {
        document["queue"]["current"]["track"] = Value::Null;
    }
    let mut expected = before;
    expected["queue"]["current"]["track"] = Value::Null;
    assert_eq!(after, expected);
}

#[tokio::test]
async fn one_component_leaves_the_others_and_the_track_does_not_jump() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let before = document(&player);
    player
        .load(&json!({"filters": {}}), &[Component::Filters])
        .await
        .unwrap();
    player
        .edit(Some("clear"), |state| {
            state.queue.clear(dalsegno_sonora::Part::Upcoming);
            Ok(())
        })
        .unwrap();
    player.pause(false).await.unwrap();
    let heard = node.heard(7).len();
    player.load(&before, &[Component::Queue]).await.unwrap();
    assert_eq!(player.state().queue.upcoming.len(), 3);
    assert_eq!(node.heard(7).len(), heard, "a queue cannot be heard");
    player.load(&before, &[Component::Filters]).await.unwrap();
    assert_eq!(node.heard(7).len(), heard + 1);
    assert!(!node.player(7).unwrap().paused);
    assert!(Component::parse(["queue", "sound"]).is_err());
}

#[tokio::test]
async fn a_node_that_lies_is_found_out_and_the_player_is_as_it_was() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let before = document(&player);
    player.reset().await.unwrap();
    node.script(Rule::new(Fault::Lie).on("PATCH", "**"));
    let error = player.load(&before, &Component::ALL).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(
        error
            .to_string()
            .contains("does not play \"Title of track-0\""),
        "{error}"
    );
    assert_eq!(queue(&player.state()), (None, vec![]));
    node.unscript();
    player.load(&before, &Component::ALL).await.unwrap();
}

#[tokio::test]
async fn what_a_node_does_otherwise_is_put_right_or_said() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let before = document(&player);
    for oddity in [
        "wrapped",
        "user data",
        "filters",
        "length",
        "voice",
        "unknown",
        "paused",
        "still",
        "creates",
    ] {
        player.reset().await.unwrap();
        node.set_oddities(|it| match oddity {
            "wrapped" => it.players_wrapped = true,
            "user data" => it.user_data_lost = true,
            "filters" => it.filters_nested = true,
            "length" => it.length_unknown = true,
            "voice" => it.voice_null = true,
            "unknown" => it.unknown_fields = true,
            "paused" => it.plays_though_paused = true,
            "still" => it.encoded_stands_still = true,
            _ => it.get_creates = true,
        });
        player
            .load(&before, &Component::ALL)
            .await
            .unwrap_or_else(|e| panic!("{oddity}: {e}"));
        let there = node.player(7).unwrap();
        assert_eq!(
            (there.identifier.as_deref(), there.volume, there.paused),
            (Some("track-0"), 30, true),
            "{oddity}"
        );
        node.set_oddities(|it| *it = dalsegno_scripted::Oddities::default());
    }
}

#[tokio::test]
async fn nonsense_changes_nothing() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let requests = node.requests().len();
    for bad in [
        json!(7),
        json!({}),
        json!({"queue": []}),
        json!({"player": {"volume": "loud"}}),
    ] {
        let error = player.load(&bad, &Component::ALL).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    assert_eq!(node.requests().len(), requests);
}

#[tokio::test]
async fn what_a_snapshot_does_not_have_stays() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let volume = json!({"player": {"volume": 60, "paused": true}});
    let loaded = player.load(&volume, &Component::ALL).await.unwrap();
    assert_eq!(loaded.components, [Component::Settings]);
    assert_eq!(loaded.upcoming, 3);
    let there = node.player(7).unwrap();
    assert_eq!(
        (there.identifier.as_deref(), there.volume),
        (Some("track-0"), 60)
    );
    assert_eq!(there.filters["timescale"]["speed"], 1.2);
}
