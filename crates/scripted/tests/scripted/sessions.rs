//! Sessions: resumed, ended, killed.

use dalsegno_scripted::{Node, Options};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, node, seconds};

#[tokio::test]
async fn a_session_ends_with_its_websocket() {
    let (node, _) = node();
    let client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    client.close().await;
    node.until(|it| it.sessions().is_empty()).await.unwrap();
    assert_eq!(node.player(1), None);
}

#[tokio::test]
async fn a_session_that_resumes_goes_on_meanwhile() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    let path = format!("/v4/sessions/{}", client.session);
    let answer = client
        .ask(
            Method::PATCH,
            &path,
            Some(json!({"resuming": true, "timeout": 200})),
        )
        .await;
    assert_eq!(answer, (200, json!({"resuming": true, "timeout": 200})));
    let heard = node.heard(1);
    assert!(node.drop_socket(&client.session));
    assert_eq!(client.get(&client.player(1)).await.0, 404);
    assert_eq!(client.update(1, json!({"volume": 1})).await.0, 404);
    clock.advance(seconds(190));

    let mut again = Client::resume(&node, Some(&client.session)).await;
    assert!(again.resumed);
    assert_eq!(again.session, client.session);
    let waited = again.next_of("TrackEndEvent").await;
    assert_eq!(waited["reason"], "finished");
    assert_eq!(again.show(1).await["track"], json!(null));
    assert_eq!(node.heard(1)[..heard.len()], heard);
    assert_eq!(node.heard(1).len(), heard.len() + 1);
}

#[tokio::test]
async fn a_session_is_resumed_only_in_time() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    let path = format!("/v4/sessions/{}", client.session);
    client
        .ask(
            Method::PATCH,
            &path,
            Some(json!({"resuming": true, "timeout": 10})),
        )
        .await;
    node.drop_socket(&client.session);
    clock.advance(seconds(11));
    assert_eq!(node.sessions(), []);
    let again = Client::resume(&node, Some(&client.session)).await;
    assert!(!again.resumed);
    assert_ne!(again.session, client.session);
}

#[tokio::test]
async fn a_live_session_is_not_resumed() {
    let (node, _) = node();
    let client = Client::connect(&node).await;
    let other = Client::resume(&node, Some(&client.session)).await;
    assert!(!other.resumed);
    assert_eq!(node.sessions().len(), 2);
}

#[tokio::test]
async fn a_node_that_is_killed_is_gone() {
    let (mut node, _) = node();
    let mut client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    let heard = node.heard(1);
    node.kill();
    while !client.next().await.is_null() {}
    assert!(
        client
            .try_ask(Method::GET, "/version", None)
            .await
            .unwrap_err()
            .is_connect()
    );
    assert_eq!(node.heard(1), heard);
    let port = node.port();
    let again = Node::start(Options {
        port,
        ..Options::default()
    })
    .unwrap();
    assert_eq!(again.port(), port);
}

#[test]
fn a_test_without_a_runtime_waits_for_requests() {
    let node = Node::start(Options::default()).unwrap();
    let address = node.address();
    let asking = std::thread::spawn(move || {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream
            .write_all(b"GET /version HTTP/1.1\r\nhost: node\r\n\r\n")
            .unwrap();
        stream
    });
    node.wait_for(|it| it.requests().iter().any(|it| it.status == Some(401)))
        .unwrap();
    asking.join().unwrap();
}

#[tokio::test]
async fn by_the_machines_clock_positions_advance_by_themselves() {
    let node = Node::start(Options::default()).unwrap();
    let client = Client::connect(&node).await;
    client.play(1, "track-1").await;
    client.updated(1, json!({"endTime": 30})).await;
    node.until(|it| it.player(1).unwrap().identifier.is_none())
        .await
        .unwrap();
    let heard = node.heard(1);
    assert!(heard[2].at >= heard[1].at + 30);
}
