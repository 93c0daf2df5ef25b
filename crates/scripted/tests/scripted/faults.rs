//! Each fault by itself.

use dalsegno_scripted::{Fault, Node, Rule, TestClock};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, node, seconds};

const PLAYER: &str = "/v4/sessions/*/players/*";

async fn faulty(fault: Fault, times: u32) -> (Node, TestClock, Client) {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    node.script(Rule::new(fault).on("PATCH", PLAYER).times(times));
    (node, clock, client)
}

async fn cut(client: &Client, body: serde_json::Value) -> bool {
    client
        .try_ask(Method::PATCH, &client.player(1), Some(body))
        .await
        .is_err()
}

#[tokio::test]
async fn a_connection_is_cut_before_anything_is_done() {
    let (node, _, client) = faulty(Fault::Drop, 1).await;
    assert!(cut(&client, json!({"volume": 5})).await);
    assert_eq!(node.player(1), None);
    assert_eq!(node.requests().pop().unwrap().status, None);
    client.updated(1, json!({"volume": 5})).await;
}

#[tokio::test]
async fn a_connection_is_cut_after_everything_is_done() {
    let (node, _, client) = faulty(Fault::DropAfter, 1).await;
    assert!(cut(&client, json!({"volume": 5})).await);
    assert_eq!(node.player(1).unwrap().volume, 5);
}

#[tokio::test]
async fn an_error_is_answered() {
    let (node, _, client) = faulty(Fault::Status(500), 2).await;
    for _ in 0..2 {
        let (status, error) = client.update(1, json!({"volume": 5})).await;
        assert_eq!(
            (status, &error["error"]),
            (500, &json!("Internal Server Error"))
        );
    }
    assert_eq!(node.player(1), None);
    assert_eq!(client.get("/version").await.0, 200);
    client.updated(1, json!({"volume": 5})).await;
}

#[tokio::test]
async fn too_many_requests_are_answered_with_when_to_come_again() {
    let (node, _, client) = faulty(
        Fault::TooMany {
            retry_after: seconds(7),
        },
        1,
    )
    .await;
    let url = format!("http://{}{}", node.address(), client.player(1));
    let answer = crate::client::http().patch(url).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "7");
}

#[tokio::test]
async fn an_answer_is_slow_by_the_clock() {
    let (node, clock, client) = faulty(Fault::Slow(seconds(30)), 1).await;
    let (_, _) = tokio::join!(client.updated(1, json!({"volume": 5})), async {
        node.until(|it| it.requests().len() == 2).await.unwrap();
        assert_eq!(node.player(1), None);
        clock.advance(seconds(30));
    });
    assert_eq!(node.player(1).unwrap().volume, 5);
}

#[tokio::test]
async fn a_lie_does_nothing() {
    let (node, _, client) = faulty(Fault::Lie, 1).await;
    let body = json!({"track": {"identifier": "track-1"}, "volume": 5, "paused": true});
    let answer = client.updated(1, body).await;
    assert_eq!(
        (&answer["volume"], &answer["track"]["info"]["identifier"]),
        (&json!(5), &json!("track-1"))
    );
    assert_eq!(node.player(1), None);
    assert_eq!(node.heard(1), []);
}

#[tokio::test]
async fn a_node_dies_half_way() {
    let (node, _, mut client) = faulty(Fault::DieAfter(2), 1).await;
    client.updated(1, json!({"volume": 5})).await;
    client.updated(2, json!({"volume": 5})).await;
    assert!(cut(&client, json!({"volume": 6})).await);
    while !client.next().await.is_null() {}
    assert!(node.is_dead());
    assert_eq!(node.player(1).unwrap().volume, 5);
}
