//! Each oddity by itself.

use dalsegno_scripted::{Node, Oddities, RateLimit, TestClock};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, node, seconds, voice};

/// A node with one oddity, and a client that plays in guild 1.
async fn odd(change: impl FnOnce(&mut Oddities)) -> (Node, TestClock, Client) {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    node.set_oddities(change);
    let track = json!({"identifier": "track-1", "userData": {"requester": "ada"}});
    client
        .updated(1, json!({"voice": voice(), "track": track}))
        .await;
    (node, clock, client)
}

#[tokio::test]
async fn lists_are_wrapped() {
    let (_node, _, client) = odd(|it| it.players_wrapped = true).await;
    let (_, players) = client
        .get(&format!("/v4/sessions/{}/players", client.session))
        .await;
    assert_eq!(players["players"][0]["guildId"], "1");
}

#[tokio::test]
async fn user_data_is_lost() {
    let (_node, _, client) = odd(|it| it.user_data_lost = true).await;
    assert_eq!(client.show(1).await["track"]["userData"], json!({}));
}

#[tokio::test]
async fn filters_are_nested() {
    let (_node, _, client) = odd(|it| it.filters_nested = true).await;
    assert_eq!(
        client.show(1).await["filters"],
        json!({"equalizer": {"bands": []}})
    );
}

#[tokio::test]
async fn lengths_are_unknown() {
    let (_node, _, client) = odd(|it| it.length_unknown = true).await;
    assert_eq!(client.show(1).await["track"]["info"]["length"], -1);
}

#[tokio::test]
async fn voice_is_null() {
    let (_node, _, client) = odd(|it| it.voice_null = true).await;
    assert_eq!(client.show(1).await["voice"], Value::Null);
}

#[tokio::test]
async fn the_build_is_missing() {
    let (_node, _, client) = odd(|it| it.build_missing = true).await;
    assert_eq!(client.get("/v4/info").await.1["version"].get("build"), None);
}

#[tokio::test]
async fn asking_creates_a_player() {
    let (node, _, client) = odd(|it| it.get_creates = true).await;
    assert_eq!(client.show(9).await["track"], Value::Null);
    assert_eq!(node.sessions()[0].players, 2);
}

#[tokio::test]
async fn there_are_unknown_fields() {
    let (_node, _, mut client) = odd(|it| it.unknown_fields = true).await;
    let player = client.show(1).await;
    for at in ["", "/track", "/track/info", "/state", "/voice"] {
        assert!(player.pointer(at).unwrap()["someday"].is_object(), "{at}");
    }
    assert_eq!(player["track"]["userData"], json!({"requester": "ada"}));
    assert!(client.next_of("TrackStartEvent").await["someday"].is_object());
}

#[tokio::test]
async fn what_is_answered_as_paused_plays() {
    let (node, clock, client) = odd(|it| it.plays_though_paused = true).await;
    let body = json!({"track": {"identifier": "track-2"}, "paused": true});
    assert_eq!(client.updated(1, body).await["paused"], true);
    clock.advance(seconds(1));
    assert_eq!(client.show(1).await["paused"], false);
    assert_eq!(node.player(1).unwrap().position, 1_000);
    client.updated(1, json!({"paused": true})).await;
    assert!(node.player(1).unwrap().paused);
}

#[tokio::test]
async fn a_track_is_dropped_a_moment_later() {
    let (node, clock, client) = odd(|it| it.track_dropped = true).await;
    assert_eq!(
        client.show(1).await["track"]["info"]["identifier"],
        "track-1"
    );
    clock.advance(seconds(1));
    assert_eq!(client.show(1).await["track"], Value::Null);
    assert_eq!(node.heard(1).last().unwrap().at, clock.now() - 500);
}

#[tokio::test]
async fn an_encoding_stands_still() {
    let (_node, clock, client) = odd(|it| it.encoded_stands_still = true).await;
    let before = client.show(1).await["track"]["encoded"].clone();
    clock.advance(seconds(1));
    assert_eq!(client.show(1).await["track"]["encoded"], before);
}

#[tokio::test]
async fn a_position_is_missing_before_voice() {
    let (_node, _, mut client) = odd(|it| it.position_missing = true).await;
    client
        .updated(2, json!({"track": {"identifier": "track-1"}}))
        .await;
    loop {
        let update = client.next_of("playerUpdate").await;
        assert_eq!(
            update["state"].get("position").is_none(),
            update["guildId"] == "2"
        );
        if update["guildId"] == "2" {
            break;
        }
    }
}

#[tokio::test]
async fn too_many_requests_are_refused_for_a_while() {
    let limit = RateLimit {
        requests: 3,
        window: seconds(10),
        block: seconds(300),
    };
    let (_node, clock, client) = odd(|it| it.rate_limit = Some(limit)).await;
    let version = async || client.get("/version").await.0;
    // One was the update.
    assert_eq!(
        (version().await, version().await, version().await),
        (200, 200, 429)
    );
    clock.advance(seconds(299));
    let (status, _) = client.ask(Method::GET, "/version", None).await;
    assert_eq!(status, 429);
    clock.advance(seconds(1));
    assert_eq!(version().await, 200);
}
