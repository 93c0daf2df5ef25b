//! What an update of a player does, and what happens to it by itself.

use dalsegno_scripted::{Catalogue, End, Event, Options, Sound, Track};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, node, node_with, seconds, voice};

fn sounds(node: &dalsegno_scripted::Node, guild: u64) -> Vec<Sound> {
    node.heard(guild).into_iter().map(|it| it.sound).collect()
}

fn started(identifier: &str, position: u64) -> Sound {
    Sound::Started {
        identifier: identifier.into(),
        position,
    }
}

#[tokio::test]
async fn a_track_plays_to_its_end() {
    let (node, clock) = node();
    let mut client = Client::connect(&node).await;
    let player = client.play(1, "track-1").await;
    assert_eq!(player["track"]["info"]["identifier"], "track-1");
    assert_eq!(
        player["state"],
        json!({"time": clock.now(), "position": 0, "connected": true, "ping": 20})
    );
    clock.advance(seconds(70));
    let player = client.show(1).await;
    assert_eq!(
        (
            &player["state"]["position"],
            &player["track"]["info"]["position"]
        ),
        (&json!(70_000), &json!(0))
    );
    clock.advance(seconds(110));
    let player = client.show(1).await;
    assert_eq!(
        (&player["track"], &player["state"]["position"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(
        client.next_of("TrackStartEvent").await["track"]["info"]["identifier"],
        "track-1"
    );
    let end = client.next_of("TrackEndEvent").await;
    assert_eq!(
        (&end["reason"], &end["guildId"]),
        (&json!("finished"), &json!("1"))
    );
    assert_eq!(
        sounds(&node, 1),
        [Sound::Connected, started("track-1", 0), Sound::Ended]
    );
    assert_eq!(node.heard(1)[2].at, clock.now());
}

#[tokio::test]
async fn a_position_stands_without_a_voice_connection() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    client
        .updated(
            1,
            json!({"track": {"identifier": "track-1"}, "position": 5_000}),
        )
        .await;
    clock.advance(seconds(9));
    assert_eq!(client.show(1).await["state"]["position"], 5_000);
    client.updated(1, json!({"voice": voice()})).await;
    clock.advance(seconds(9));
    assert_eq!(node.player(1).unwrap().position, 14_000);
}

#[tokio::test]
async fn pausing_and_seeking_are_heard() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    clock.advance(seconds(1));
    client.updated(1, json!({"paused": true})).await;
    clock.advance(seconds(60));
    client
        .updated(1, json!({"paused": true, "position": 30_000}))
        .await;
    client.updated(1, json!({"paused": false})).await;
    clock.advance(seconds(1));
    assert_eq!(node.player(1).unwrap().position, 31_000);
    let sought = Sound::Sought {
        from: 1_000,
        to: 30_000,
    };
    assert_eq!(
        sounds(&node, 1)[2..],
        [Sound::Paused, sought, Sound::Unpaused]
    );
}

#[tokio::test]
async fn a_new_track_unpauses_unless_told_otherwise() {
    let (node, _clock) = node();
    let client = Client::connect(&node).await;
    client.updated(1, json!({"paused": true})).await;
    client.play(1, "track-1").await;
    assert!(!node.player(1).unwrap().paused);
    let player = client
        .updated(
            1,
            json!({"track": {"identifier": "track-2"}, "paused": true}),
        )
        .await;
    assert_eq!(player["paused"], true);
    assert!(node.player(1).unwrap().paused);
}

#[tokio::test]
async fn all_of_an_update_is_done_in_order() {
    let (node, _clock) = node();
    let mut client = Client::connect(&node).await;
    let filters = json!({"timescale": {"speed": 1.5, "pitch": 1.0}});
    let player = client
        .updated(1, json!({"voice": voice(), "volume": 30, "filters": filters, "position": 60_000, "endTime": 63_000,
            "paused": true, "track": {"identifier": "track-3", "userData": {"requester": "ada"}}}))
        .await;
    assert_eq!(player["track"]["userData"], json!({"requester": "ada"}));
    assert_eq!(player["filters"], json!({"timescale": {"speed": 1.5}}));
    assert_eq!(player["voice"], voice());
    let kept = json!({"timescale": {"speed": 1.5}});
    let wanted = [
        Sound::Connected,
        Sound::Volume(30),
        Sound::Filters(kept),
        Sound::Paused,
        started("track-3", 60_000),
    ];
    assert_eq!(sounds(&node, 1), wanted);
    assert_eq!(node.player(1).unwrap().end_time, Some(63_000));
    client.next_of("TrackStartEvent").await;
}

#[tokio::test]
async fn an_end_time_and_a_speed_end_a_track_early() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    client
        .updated(
            1,
            json!({"endTime": 4_000, "filters": {"timescale": {"speed": 2.0}}}),
        )
        .await;
    clock.advance(std::time::Duration::from_millis(1_999));
    assert_eq!(node.player(1).unwrap().position, 3_998);
    clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(node.player(1).unwrap().identifier, None);
}

#[tokio::test]
async fn absent_leaves_alone_and_null_stops() {
    let (node, _clock) = node();
    let mut client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    client
        .updated(1, json!({"track": {"userData": {"a": 1}}}))
        .await;
    let view = node.player(1).unwrap();
    assert_eq!(
        (view.identifier.as_deref(), view.user_data),
        (Some("track-1"), json!({"a": 1}))
    );
    client.updated(1, json!({"track": {"encoded": null}})).await;
    assert_eq!(client.next_of("TrackEndEvent").await["reason"], "stopped");
    assert_eq!(node.player(1).unwrap().identifier, None);
}

#[tokio::test]
async fn no_replace_skips_only_the_track() {
    let (node, _clock) = node();
    let mut client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    let body = json!({"track": {"identifier": "track-2"}, "volume": 20, "paused": true});
    client
        .ask(
            Method::PATCH,
            &format!("{}?noReplace=true", client.player(1)),
            Some(body.clone()),
        )
        .await;
    let view = node.player(1).unwrap();
    assert_eq!(
        (view.identifier.as_deref(), view.volume, view.paused),
        (Some("track-1"), 20, false)
    );
    client.updated(1, body).await;
    assert_eq!(client.next_of("TrackEndEvent").await["reason"], "replaced");
}

#[tokio::test]
async fn a_player_is_told_of_at_intervals() {
    let (node, clock) = node();
    let mut client = Client::connect(&node).await;
    assert_eq!(client.next_of("stats").await["players"], 0);
    client.play(1, "track-1").await;
    client.next_of("TrackStartEvent").await;
    assert_eq!(client.next_of("playerUpdate").await["state"]["position"], 0);
    clock.advance(seconds(5));
    assert_eq!(
        client.next_of("playerUpdate").await["state"]["position"],
        5_000
    );
    clock.advance(seconds(55));
    assert_eq!(client.next_of("stats").await["playingPlayers"], 1);
}

#[tokio::test]
async fn a_player_that_is_deleted_is_gone() {
    let (node, _clock) = node();
    let mut client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    client.play(2, "track-2").await;
    assert_eq!(
        client.ask(Method::DELETE, &client.player(1), None).await.0,
        204
    );
    assert_eq!(client.next_of("TrackEndEvent").await["reason"], "stopped");
    let (_, players) = client
        .get(&format!("/v4/sessions/{}/players", client.session))
        .await;
    assert_eq!(players.as_array().unwrap().len(), 1);
    assert_eq!(players[0]["guildId"], "2");
    assert_eq!(sounds(&node, 1)[2..], [Sound::Stopped, Sound::Disconnected]);
}

#[tokio::test]
async fn a_test_has_things_happen() {
    let (node, clock) = node();
    let mut client = Client::connect(&node).await;
    assert!(!node.raise(1, Event::Stuck(10_000)));
    client.play(1, "track-1").await;
    assert!(node.raise(1, Event::Exception("no audio".into())));
    assert_eq!(
        client.next_of("TrackExceptionEvent").await["exception"]["message"],
        "no audio"
    );
    assert!(node.raise(1, Event::Stuck(10_000)));
    assert_eq!(
        client.next_of("TrackStuckEvent").await["thresholdMs"],
        10_000
    );
    assert!(node.raise(1, Event::VoiceClosed(4014)));
    let closed = client.next_of("WebSocketClosedEvent").await;
    assert_eq!(
        (&closed["code"], &closed["byRemote"]),
        (&json!(4014), &json!(true))
    );
    clock.advance(seconds(9));
    assert_eq!(node.player(1).unwrap().position, 0);
    assert!(node.raise(1, Event::End(End::LoadFailed)));
    assert_eq!(
        client.next_of("TrackEndEvent").await["reason"],
        "loadFailed"
    );
}

#[tokio::test]
async fn nobody_seeks_in_a_stream() {
    let catalogue = Catalogue::default().with(Track::stream("http://radio.example"));
    let (node, clock) = node_with(Options {
        catalogue,
        ..Options::default()
    });
    let client = Client::connect(&node).await;
    client.play(1, "http://radio.example").await;
    clock.advance(seconds(1_000_000));
    client.updated(1, json!({"position": 5_000})).await;
    assert_eq!(node.player(1).unwrap().position, 1_000_000_000);
    assert_eq!(node.heard(1).len(), 2);
}
