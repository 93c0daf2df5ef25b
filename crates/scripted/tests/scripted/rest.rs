//! Who is let in, and how errors are written.

use dalsegno_scripted::{Node, Options};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::client::{Client, node, open, voice};

async fn status(node: &Node, path: &str, password: Option<&str>) -> u16 {
    let url = format!("http://{}{path}", node.address());
    let mut request = crate::client::http().get(url);
    if let Some(password) = password {
        request = request.header("Authorization", password);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn the_password_is_asked_for() {
    let (node, _) = node();
    assert_eq!(status(&node, "/version", None).await, 401);
    assert_eq!(status(&node, "/v4/info", Some("wrong")).await, 403);
    assert_eq!(status(&node, "/v4/info", Some(node.password())).await, 200);
}

#[tokio::test]
async fn a_websocket_needs_its_headers() {
    let (node, _) = node();
    let name = ("client-name", "tests/1.0");
    let password = ("authorization", node.password());
    for (headers, wanted) in [
        (vec![("user-id", "1"), name], 401),
        (
            vec![("authorization", "wrong"), ("user-id", "1"), name],
            401,
        ),
        (vec![password, name], 400),
        (vec![password, ("user-id", "me"), name], 400),
        (vec![password, ("user-id", "1")], 400),
    ] {
        match open(&node, &headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), wanted),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_node_says_what_it_is() {
    let (node, _) = node();
    let client = Client::connect(&node).await;
    assert_eq!(client.get("/version").await, (200, json!("4.2.2")));
    let (_, info) = client.get("/v4/info").await;
    assert_eq!(
        info["version"],
        json!({"semver": "4.2.2", "major": 4, "minor": 2, "patch": 2, "preRelease": null, "build": null})
    );
    assert_eq!(client.get("/v4/stats").await.1["players"], 0);
    assert_eq!(client.get("/v4/routeplanner/status").await.0, 204);
}

#[tokio::test]
async fn a_node_of_version_3_has_nothing_of_version_4() {
    let node = Node::start(Options::v3()).unwrap();
    let password = Some(node.password());
    assert_eq!(status(&node, "/version", password).await, 200);
    assert_eq!(status(&node, "/v4/info", password).await, 404);
    let headers = [
        ("authorization", node.password()),
        ("user-id", "1"),
        ("client-name", "tests/1.0"),
    ];
    assert!(matches!(open(&node, &headers).await, Err(Error::Http(it)) if it.status() == 404));
}

#[tokio::test]
async fn errors_are_written_as_officially() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    let path = "/v4/sessions/nobody/players/1";
    let wanted = json!({"timestamp": clock.now(), "status": 404, "error": "Not Found", "message": "Session not found",
        "path": path});
    assert_eq!(client.get(path).await, (404, wanted));
    let (_, traced) = client
        .ask(
            Method::PATCH,
            &format!("{path}?trace=true"),
            Some(json!({})),
        )
        .await;
    assert!(traced["trace"].is_string());
    assert_eq!(client.get("/v4/nothing").await.0, 404);
    assert_eq!(client.ask(Method::POST, "/v4/info", None).await.0, 405);
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_and_nothing_is_done() {
    let (node, _) = node();
    let client = Client::connect(&node).await;
    let without = |field: &str| {
        let mut voice = voice();
        voice.as_object_mut().unwrap().remove(field);
        json!({"voice": voice})
    };
    let mut empty = voice();
    empty["endpoint"] = json!("");
    for wrong in [
        json!({"volume": 1001}),
        json!({"volume": -1}),
        json!({"volume": 50.5}),
        json!({"volume": null}),
        json!({"position": -1}),
        json!({"endTime": 0}),
        json!({"paused": "true"}),
        json!({"filters": {"timescale": {"speed": -1}}}),
        json!({"filters": {"nonsense": {}}}),
        json!({"track": {"encoded": "QAAA"}}),
        json!({"track": {"encoded": null, "identifier": "track-1"}}),
        json!({"track": {"identifier": "nobody knows it"}}),
        json!({"track": {"identifier": "ytsearch:title"}}),
        json!({"track": {"userData": []}}),
        json!({"state": {}}),
        json!({"voice": empty}),
        without("token"),
        without("endpoint"),
        without("sessionId"),
        without("channelId"),
    ] {
        let (status, error) = client.update(1, wrong.clone()).await;
        assert_eq!((status, &error["status"]), (400, &json!(400)), "{wrong}");
    }
    assert_eq!(
        client
            .update(
                1,
                json!({"track": {"identifier": "track-1"}, "volume": 1001})
            )
            .await
            .0,
        400
    );
    assert_eq!(client.get(&client.player(1)).await.0, 404);
    let asked = format!("{}?replace=no", client.player(1));
    assert_eq!(
        client.ask(Method::PATCH, &asked, Some(json!({}))).await.0,
        400
    );
    let no_number = format!("/v4/sessions/{}/players/x", client.session);
    assert_eq!(client.get(&no_number).await.0, 400);
    assert_eq!(
        client.ask(Method::PATCH, &client.player(1), None).await.0,
        415
    );
}

#[tokio::test]
async fn requests_are_noted() {
    let (node, _) = node();
    let client = Client::connect(&node).await;
    client
        .ask(
            Method::PATCH,
            &format!("{}?noReplace=true", client.player(1)),
            Some(json!({"volume": 7})),
        )
        .await;
    let seen = node.requests().pop().unwrap();
    assert_eq!(
        (seen.method.as_str(), seen.path),
        ("PATCH", client.player(1))
    );
    assert_eq!(
        (seen.query.as_str(), seen.body, seen.status),
        ("noReplace=true", json!({"volume": 7}), Some(200))
    );
    let first = node.requests().swap_remove(0);
    assert_eq!((first.body, first.status), (Value::Null, Some(101)));
}
