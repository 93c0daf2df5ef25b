use std::time::Duration;

use dalsegno::ErrorKind;
use dalsegno_scripted::{Fault, Rule};
use dalsegno_sonora::lavalink::{PlayerChange, Rest};
use dalsegno_sonora::{Client, Component, Options};
use serde_json::json;

use crate::world::{BOT, address, client, hold, node, playing_one};

fn load(node: &dalsegno_scripted::Node) -> usize {
    node.requests()
        .iter()
        .filter(|seen| seen.path == "/v4/loadtracks")
        .count()
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let node = node();
    let rest = Rest::new(&address(&node)).unwrap();
    for fault in [Fault::Drop, Fault::Status(502), Fault::DropAfter] {
        let before = load(&node);
        node.script(
            Rule::new(fault.clone())
                .on("GET", "/v4/loadtracks")
                .times(2),
        );
        rest.load("track-1").await.unwrap();
        assert_eq!(load(&node) - before, 3, "{fault:?}");
    }
}

#[tokio::test]
async fn a_node_that_asks_to_wait_is_waited_for_by_all_that_ask_it() {
    let node = node();
    let rest = Rest::new(&address(&node)).unwrap();
    let wait = Fault::TooMany {
        retry_after: Duration::from_secs(1),
    };
    node.script(Rule::new(wait).on("GET", "/v4/loadtracks").times(1));
    let began = std::time::Instant::now();
    let (one, two) = tokio::join!(rest.load("track-1"), async {
        node.until(|node| load(node) == 1).await.unwrap();
        // It is refused, or about to be; whoever asks now waits as well.
        while load(&node) == 1 && node.requests().iter().all(|seen| seen.status != Some(429)) {
            tokio::task::yield_now().await;
        }
        rest.load("track-2").await
    });
    one.unwrap();
    two.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));

    let block = Fault::TooMany {
        retry_after: Duration::from_secs(300),
    };
    node.script(Rule::new(block).on("GET", "/v4/loadtracks").times(1));
    let before = load(&node);
    let error = rest.load("track-1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("asks to wait 30"), "{error}");
    let again = rest.load("track-1").await.unwrap_err();
    assert!(again.to_string().contains("nothing was sent"), "{again}");
    assert_eq!(load(&node) - before, 1);
}

#[tokio::test]
async fn a_session_is_kept_for_seconds_not_for_milliseconds() {
    let node = node();
    let options = Options::new(BOT)
        .node("main", address(&node))
        .resume(Duration::from_secs(360));
    let _client = Client::start(options).await.unwrap();
    let session = node.sessions().remove(0);
    assert_eq!((session.resuming, session.timeout), (true, 360));
}

#[tokio::test]
async fn a_socket_that_drops_is_opened_again_and_nobody_hears_it() {
    let node = node();
    let client = client(&node).await;
    let player = playing_one(&client).await;
    let heard = node.heard(7);
    let session = node.sessions().remove(0).id;
    let mut told = client.subscribe();
    assert!(node.drop_socket(&session));
    loop {
        if let dalsegno_sonora::Happened::NodeReady(_, resumed) = told.recv().await.unwrap().what {
            assert!(resumed);
            break;
        }
    }
    node.until(|node| node.sessions().iter().any(|it| it.id == session && it.open))
        .await
        .unwrap();
    player.set_volume(50).await.unwrap();
    assert_eq!(node.heard(7)[..heard.len()], heard[..]);
    assert_eq!(node.heard(7).len(), heard.len() + 1);
}

#[tokio::test]
async fn players_are_spread_over_the_nodes() {
    let (one, two) = (node(), node());
    let options = Options::new(BOT)
        .node("one", address(&one))
        .node("two", address(&two))
        .hold(hold());
    let client = Client::start(options).await.unwrap();
    for guild in 1..=10 {
        client.get_player(guild).set_volume(50).await.unwrap();
    }
    let on = |name: &str| {
        client
            .players()
            .iter()
            .filter(|it| it.node().unwrap().name() == name)
            .count()
    };
    assert_eq!((on("one"), on("two")), (5, 5));
}

#[tokio::test]
async fn what_is_unknown_survives() {
    let node = node();
    let client = client(&node).await;
    let player = client.get_player(7);
    let data = json!({
        "player": {"volume": 40, "mood": "calm"},
        "queue": {"upcoming": [{"title": "a", "identifier": "a", "track": "QAAA", "stars": 5}], "votes": [1]},
        "filters": {"active_filters": [], "filter_config": {"pluginFilters": {"echo": {"delay": 2}}}},
        "autoplay": {"seed": 7},
        "settings": {"prefix": "!"},
    });
    player.load(&data, &Component::ALL).await.unwrap();
    let stored: serde_json::Value =
        serde_json::from_slice(&player.document().unwrap().to_text()).unwrap();
    assert_eq!(stored["queue"]["upcoming"][0]["stars"], 5);
    assert_eq!(
        stored["filters"]["filter_config"]["pluginFilters"]["echo"]["delay"],
        2
    );
    assert_eq!(stored["autoplay"]["seed"], 7);
    assert_eq!(stored["settings"]["prefix"], "!");
    assert_eq!(stored["player"]["mood"], "calm");
    assert_eq!(stored["queue"]["votes"], json!([1]));
    assert_eq!(
        node.player(7).unwrap().filters["pluginFilters"]["echo"]["delay"],
        2
    );
}

#[tokio::test]
async fn a_node_can_be_attached_to_by_a_session_alone() {
    let node = node();
    let client = client(&node).await;
    client.get_player(7).set_volume(30).await.unwrap();
    let session = node.sessions().remove(0).id;
    let alone = dalsegno_sonora::Node::new("alone", &address(&node)).unwrap();
    assert!(!alone.is_up());
    alone.attach(session);
    let players = alone.players().await.unwrap();
    assert_eq!(
        (players.len(), players[0].0.guild, players[0].0.volume),
        (1, 7, 30)
    );
    let change = PlayerChange::default();
    assert_eq!(alone.change(7, &change).await.unwrap().0.volume, 30);
    alone.attach("another");
    assert_eq!(
        alone.players().await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}
