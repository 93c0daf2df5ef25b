//! A thousand guilds on one node.

use dalsegno_scripted::Sound;
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, node, seconds};

#[tokio::test]
async fn a_thousand_guilds_play_on_while_the_bot_is_away() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    for guild in 1..=1_000 {
        client.play(guild, &format!("track-{}", guild % 100)).await;
    }
    let session = format!("/v4/sessions/{}", client.session);
    client
        .ask(Method::PATCH, &session, Some(json!({"resuming": true})))
        .await;
    let heard: Vec<_> = (1..=1_000).map(|guild| node.heard(guild)).collect();
    node.drop_socket(&client.session);
    clock.advance(seconds(59));
    let again = Client::resume(&node, Some(&client.session)).await;
    let (_, players) = again.get(&format!("{session}/players")).await;
    let players = players.as_array().unwrap();
    assert_eq!(players.len(), 1_000);
    assert!(players.iter().all(|it| it["state"]["position"] == 59_000));
    for (guild, heard) in (1..=1_000).zip(&heard) {
        assert_eq!(&node.heard(guild), heard);
        assert!(matches!(heard[1].sound, Sound::Started { position: 0, .. }));
    }
}
