//! A node that really joins voice channels, and Discord's side of it.

use dalsegno_scripted::{Node, Options, Sound, Voice, VoiceEndpoint, VoiceServer};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Client, node_with, seconds};

fn given(server: &VoiceServer) -> Value {
    json!({"token": server.token, "endpoint": server.endpoint, "sessionId": server.session_id,
        "channelId": server.channel_id})
}

async fn node() -> (Node, dalsegno_scripted::TestClock, Client) {
    let (node, clock) = node_with(Options {
        voice: Voice::Real,
        ..Options::default()
    });
    let client = Client::connect(&node).await;
    (node, clock, client)
}

async fn joined(node: &Node, client: &Client, server: &VoiceServer) {
    let body = json!({"voice": given(server), "track": {"identifier": "track-1"}});
    client.updated(1, body).await;
    node.until(|it| it.player(1).unwrap().connected)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_track_plays_as_long_as_the_node_is_in_the_channel() {
    let endpoint = VoiceEndpoint::start().unwrap();
    let (node, clock, mut client) = node().await;
    joined(&node, &client, &endpoint.issue(1, 7)).await;
    assert!(endpoint.connected(1));
    clock.advance(seconds(4));
    assert_eq!(client.show(1).await["state"]["position"], 4_000);

    assert!(endpoint.revoke(1));
    let closed = client.next_of("WebSocketClosedEvent").await;
    assert_eq!(
        (&closed["code"], &closed["byRemote"]),
        (&json!(4014), &json!(true))
    );
    clock.advance(seconds(4));
    let state = &client.show(1).await["state"];
    assert_eq!(
        (&state["position"], &state["connected"]),
        (&json!(4_000), &json!(false))
    );
    assert!(!endpoint.connected(1));
}

#[tokio::test]
async fn wrong_credentials_are_closed_with_their_code() {
    let endpoint = VoiceEndpoint::start().unwrap();
    let (node, _, mut client) = node().await;
    let stale = endpoint.issue(1, 7);
    let issued = endpoint.issue(1, 7);
    let token = VoiceServer {
        token: "wrong".into(),
        ..issued
    };
    for (server, code) in [(&stale, 4006), (&token, 4004)] {
        client.updated(1, json!({"voice": given(server)})).await;
        assert_eq!(client.next_of("WebSocketClosedEvent").await["code"], code);
        assert!(!node.player(1).unwrap().connected);
    }
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_is_an_error() {
    let server = VoiceEndpoint::start().unwrap().issue(1, 7);
    let (_node, _, client) = node().await;
    let (status, error) = client.update(1, json!({"voice": given(&server)})).await;
    assert_eq!(
        (status, &error["message"]),
        (500, &json!("Failed to connect to voice server"))
    );
}

#[tokio::test]
async fn a_connection_that_is_cut_is_resumed() {
    let endpoint = VoiceEndpoint::start().unwrap();
    let (node, _, client) = node().await;
    joined(&node, &client, &endpoint.issue(1, 7)).await;
    assert!(endpoint.cut(1));
    let again = [Sound::Disconnected, Sound::Connected];
    let resumed = |it: &Node| {
        it.heard(1)
            .into_iter()
            .map(|it| it.sound)
            .collect::<Vec<_>>()
            .ends_with(&again)
    };
    node.until(resumed).await.unwrap();
    assert!(endpoint.connected(1));
}

#[tokio::test]
async fn a_player_that_is_deleted_leaves_its_channel() {
    let endpoint = VoiceEndpoint::start().unwrap();
    let (mut node, _, client) = node().await;
    let server = endpoint.issue(1, 7);
    joined(&node, &client, &server).await;
    let before = node.heard(1);
    client.updated(1, json!({"voice": given(&server)})).await;
    assert_eq!(node.heard(1), before);
    client
        .ask(reqwest::Method::DELETE, &client.player(1), None)
        .await;
    assert_eq!(node.heard(1).last().unwrap().sound, Sound::Disconnected);
    node.kill();
}

/// What the gateway says to these messages: what it answers, or the code that it closes with.
async fn say(address: &str, messages: &[Value]) -> Vec<Value> {
    let (mut socket, _) = connect_async(format!("ws://{address}")).await.unwrap();
    for message in messages {
        socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }
    let mut said = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => {
                said.push(serde_json::from_str(&text).unwrap());
                if said.len() > messages.len() {
                    break;
                }
            }
            Message::Close(Some(frame)) => said.push(json!(u16::from(frame.code))),
            _ => {}
        }
    }
    said
}

#[tokio::test]
async fn the_gateway_is_strict() {
    let endpoint = VoiceEndpoint::start().unwrap();
    let server = endpoint.issue(1, 7);
    let newest = format!("{}/?v=8", server.endpoint);
    let who = json!({"server_id": "1", "user_id": "42", "session_id": server.session_id, "token": server.token});
    let identify = json!({"op": 0, "d": who});
    let select = |mode: &str, port: u16| json!({"op": 1, "d": {"protocol": "udp", "data": {"address": "127.0.0.1", "port": port, "mode": mode}}});
    for (messages, code) in [
        (vec![select("aead_aes256_gcm_rtpsize", 9)], 4003),
        (vec![identify.clone(), identify.clone()], 4005),
        (vec![json!({"op": 7, "d": who})], 4006),
        (vec![identify.clone(), select("xsalsa20_poly1305", 9)], 4016),
        (
            vec![identify.clone(), select("aead_aes256_gcm_rtpsize", 9)],
            4012,
        ),
        (vec![identify.clone(), json!({"op": 99})], 4001),
    ] {
        assert_eq!(
            say(&newest, &messages).await.last(),
            Some(&json!(code)),
            "{messages:?}"
        );
    }
    assert_eq!(say(&server.endpoint, &[]).await, [json!(4012)]);
    let beat = json!({"op": 3, "d": {"t": 5, "seq_ack": -1}});
    let said = say(&newest, &[beat]).await;
    assert_eq!(
        (&said[0]["d"]["v"], &said[1]),
        (&json!(8), &json!({"op": 6, "d": {"t": 5}}))
    );
}
