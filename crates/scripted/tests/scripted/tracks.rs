//! Finding tracks and reading encoded ones.

use dalsegno_scripted::{Catalogue, Options, Playlist, Track};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Client, node, node_with, seconds};

#[tokio::test]
async fn tracks_are_found() {
    let playlist = Playlist {
        name: "Two".into(),
        selected: Some(1),
        tracks: vec!["track-0".into(), "track-1".into()],
    };
    let catalogue = Catalogue::numbered(3, 60_000)
        .with(Track::stream("http://radio.example"))
        .with_playlist("https://list.example", playlist)
        .failing("broken", "It is broken");
    let (node, _) = node_with(Options {
        catalogue,
        ..Options::default()
    });
    let client = Client::connect(&node).await;
    let load = async |identifier: &str| {
        let (status, answer) = client
            .get(&format!("/v4/loadtracks?identifier={identifier}"))
            .await;
        assert_eq!(status, 200);
        answer
    };
    let track = load("https://www.youtube.com/watch?v=track-1").await;
    assert_eq!(
        (&track["loadType"], &track["data"]["info"]["identifier"]),
        (&json!("track"), &json!("track-1"))
    );
    let stream = load("http://radio.example").await;
    assert_eq!(
        (
            &stream["data"]["info"]["isStream"],
            &stream["data"]["info"]["length"]
        ),
        (&json!(true), &json!(i64::MAX))
    );
    let search = load("ytsearch:title%20of").await;
    assert_eq!(
        (
            &search["loadType"],
            search["data"].as_array().unwrap().len()
        ),
        (&json!("search"), 3)
    );
    let playlist = load("https://list.example").await;
    assert_eq!(
        playlist["data"]["info"],
        json!({"name": "Two", "selectedTrack": 1})
    );
    assert_eq!(
        playlist["data"]["tracks"][1]["info"]["identifier"],
        "track-1"
    );
    assert_eq!(
        load("scsearch:title").await,
        json!({"loadType": "empty", "data": null})
    );
    assert_eq!(load("broken").await["data"]["message"], "It is broken");
    assert_eq!(client.get("/v4/loadtracks").await.0, 400);
}

#[tokio::test]
async fn an_encoded_track_is_read_and_played_from_where_it_stood() {
    let (node, clock) = node();
    let client = Client::connect(&node).await;
    let fresh = client.play(1, "track-4").await["track"]["encoded"].clone();
    clock.advance(seconds(3));
    let encoded = client.show(1).await["track"]["encoded"].clone();
    assert_ne!(encoded, fresh);
    let url = reqwest::Url::parse_with_params(
        "http://node/v4/decodetrack",
        [("encodedTrack", encoded.as_str().unwrap())],
    );
    let url = url.unwrap();
    let (_, track) = client
        .get(&format!("/v4/decodetrack?{}", url.query().unwrap()))
        .await;
    assert_eq!(
        (&track["encoded"], &track["info"]["identifier"]),
        (&encoded, &json!("track-4"))
    );
    let (_, tracks) = client
        .ask(
            Method::POST,
            "/v4/decodetracks",
            Some(json!([encoded, fresh])),
        )
        .await;
    assert_eq!(tracks[1]["encoded"], fresh);
    for wrong in [json!([]), json!(["QAAA"]), Value::Null] {
        assert_eq!(
            client
                .ask(Method::POST, "/v4/decodetracks", Some(wrong))
                .await
                .0,
            400
        );
    }
    assert_eq!(client.get("/v4/decodetrack").await.0, 400);
    client
        .updated(2, json!({"track": {"encoded": encoded}}))
        .await;
    assert_eq!(node.player(2).unwrap().position, 3_000);
    client
        .updated(2, json!({"track": {"encoded": encoded}, "position": 0}))
        .await;
    assert_eq!(node.player(2).unwrap().position, 0);
}
