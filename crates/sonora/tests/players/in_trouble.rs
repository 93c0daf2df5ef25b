//! Every oddity and every fault of a node, together: a restore holds when it is read back, or it is said why not.

use std::time::Duration;

use dalsegno::{Error, ErrorKind};
use dalsegno_scripted::{Fault, Node, Oddities, RateLimit, Rule};
use dalsegno_sonora::lavalink::{Address, Password, VoiceServer};
use dalsegno_sonora::{
    Client, Component, Hold, How, Left, Options, Player, SnapshotFile, Voice, Waiting,
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::world::{BOT, address, client, document, hold, node, playing_all, queue, voice};

struct Channels;

impl Voice for Channels {
    fn join(&self, _: u64, channel: u64) -> Waiting<'_, dalsegno::Result<VoiceServer>> {
        Box::pin(async move { Ok(voice(channel)) })
    }
}

const ODDITIES: [&str; 14] = [
    "none",
    "wrapped",
    "user data",
    "filters",
    "length",
    "voice",
    "build",
    "creates",
    "unknown",
    "paused",
    "dropped",
    "still",
    "position",
    "limit",
];

fn oddity(name: &str, it: &mut Oddities) {
    match name {
        "wrapped" => it.players_wrapped = true,
        "user data" => it.user_data_lost = true,
        "filters" => it.filters_nested = true,
        "length" => it.length_unknown = true,
        "voice" => it.voice_null = true,
        "build" => it.build_missing = true,
        "creates" => it.get_creates = true,
        "unknown" => it.unknown_fields = true,
        "paused" => it.plays_though_paused = true,
        "dropped" => it.track_dropped = true,
        "still" => it.encoded_stands_still = true,
        "position" => it.position_missing = true,
        "limit" => {
            it.rate_limit = Some(RateLimit {
                requests: 5,
                window: Duration::from_secs(1),
                block: Duration::from_secs(1),
            });
        }
        _ => {}
    }
}

const FAULTS: [&str; 8] = [
    "none",
    "drop",
    "500",
    "429",
    "slow",
    "drop after",
    "lie",
    "die",
];

fn fault(name: &str, node: &Node) {
    let fault = match name {
        "drop" => Fault::Drop,
        "500" => Fault::Status(500),
        "429" => Fault::TooMany {
            retry_after: Duration::from_secs(1),
        },
        "slow" => Fault::Slow(Duration::from_millis(30)),
        "drop after" => Fault::DropAfter,
        "lie" => Fault::Lie,
        "die" => Fault::DieAfter(1),
        _ => return,
    };
    let path = "/v4/sessions/*/players/*";
    let change = Rule::new(fault.clone()).on("PATCH", path);
    match name {
        "lie" => node.script(change),
        // Half way through: it has been told, and dies when it is asked.
        "die" => node.script(Rule::new(Fault::DieAfter(0)).on("GET", path)),
        _ => {
            node.script(change.times(2));
            node.script(Rule::new(fault).on("GET", path).times(1));
        }
    }
}

/// What a restore on such a node has to come to: it holds, or this kind of error; nothing where either is fine.
fn expected(oddity: &str, fault: &str) -> Option<Option<ErrorKind>> {
    match (oddity, fault) {
        // Who is blocked gives up at some time.
        ("limit", _) => None,
        (_, "die") => Some(Some(ErrorKind::Unreachable)),
        (_, "lie") | ("dropped", _) => Some(Some(ErrorKind::Conflict)),
        _ => Some(None),
    }
}

fn check(case: &str, expected: Option<Option<ErrorKind>>, error: Option<&Error>) {
    if let Some(expected) = expected {
        assert_eq!(error.map(Error::kind), expected, "{case}: {error:?}");
    }
    if let Some(error) = error {
        assert!(error.to_string().contains("node"), "{case}: {error}");
    }
}

/// Where a node drops a track half a second later, it is asked after that.
fn patient(oddity: &str) -> Hold {
    Hold {
        settle: match oddity {
            "dropped" => Duration::from_millis(600),
            _ => hold().settle,
        },
        tries: 1,
        ..hold()
    }
}

fn options(node: &Node, oddity: &str) -> Options {
    Options::new(BOT)
        .node("main", address(node))
        .hold(patient(oddity))
        .patience(Duration::from_secs(4))
        .voice(std::sync::Arc::new(Channels))
}

/// It is so on the node, whatever that answers, and here.
fn is_back(case: &str, node: &Node, player: &Player) {
    let there = node.player(7).unwrap();
    assert_eq!(there.identifier.as_deref(), Some("track-0"), "{case}");
    assert_eq!((there.volume, there.paused), (30, true), "{case}");
    assert_eq!(there.filters["timescale"]["speed"], 1.2, "{case}");
    // Some play a little before they pause.
    assert!(
        (45_000..60_000).contains(&there.position),
        "{case}: {there:?}"
    );
    assert_eq!(queue(&player.state()).1.len(), 3, "{case}");
}

async fn loads(oddity_name: &'static str, fault_name: &'static str) {
    let case = format!("load, {oddity_name}, {fault_name}");
    let node = node();
    let client = Client::start(options(&node, oddity_name)).await.unwrap();
    let player = playing_all(&client).await;
    let before = document(&player);
    player.reset().await.unwrap();
    node.set_oddities(|it| oddity(oddity_name, it));
    fault(fault_name, &node);
    let loaded = player.load(&before, &Component::ALL).await;
    check(
        &case,
        expected(oddity_name, fault_name),
        loaded.as_ref().err(),
    );
    match loaded {
        Ok(loaded) => {
            assert_eq!((loaded.guild, loaded.upcoming), (7, 3), "{case}");
            is_back(&case, &node, &player);
        }
        // The player is as it was.
        Err(_) => {
            let state = player.state();
            assert_eq!(
                (queue(&state), state.volume),
                ((None, vec![]), 100),
                "{case}"
            );
        }
    }
}

async fn starts(oddity_name: &'static str, fault_name: &'static str) {
    let case = format!("start, {oddity_name}, {fault_name}");
    let mut gone = node();
    let document = {
        let client = Client::start(options(&gone, "none")).await.unwrap();
        document(&playing_all(&client).await)
    };
    gone.kill();
    let there = node();
    there.set_oddities(|it| oddity(oddity_name, it));
    fault(fault_name, &there);
    let dead = Address::new("127.0.0.1", gone.port(), Password::new("x"));
    let options = options(&there, oddity_name).node("gone", dead);
    let mut left = Left::read(7, &document, Duration::ZERO).unwrap();
    left.node = Some("gone".to_owned());
    let (client, brought) = Client::start_with(options, vec![left]).await.unwrap();
    assert_eq!((brought.len(), brought[0].guild), (1, 7), "{case}");
    let player = client.player(7).unwrap();
    let error = match &brought[0].how {
        How::PutBack => {
            is_back(&case, &there, &player);
            None
        }
        How::Failed { why } => Some(why),
        how => panic!("{case}: {how:?}"),
    };
    check(&case, expected(oddity_name, fault_name), error);
    // Whatever became of it, nothing of it is lost.
    let state = player.state();
    assert_eq!(queue(&state).1.len(), 3, "{case}");
    assert_eq!((state.volume, state.paused), (30, true), "{case}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_holds_or_it_is_said_why_not() {
    let mut cases = JoinSet::new();
    for oddity in ODDITIES {
        for fault in FAULTS {
            cases.spawn(loads(oddity, fault));
            cases.spawn(starts(oddity, fault));
        }
    }
    assert_eq!(
        cases.join_all().await.len(),
        2 * ODDITIES.len() * FAULTS.len()
    );
}

#[tokio::test]
async fn what_is_no_snapshot_of_this_player_changes_nothing() {
    let node = node();
    let client = client(&node).await;
    let player = playing_all(&client).await;
    let before = document(&player);
    let file = player.snapshot().unwrap();
    let requests = node.requests().len();
    let mut other = file.clone();
    other.guild_id = 8;
    let error = player
        .load_snapshot(&other, &Component::ALL)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("of guild 8, not of guild 7"),
        "{error}"
    );

    let text = file.write().unwrap();
    let mut newer = file.clone();
    "2.0.0".clone_into(&mut newer.version);
    let error = SnapshotFile::read(newer.write().unwrap().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("newer"), "{error}");
    let damaged = text.replace("\"volume\": 30", "\"volume\": 31");
    assert_ne!(damaged, text);
    let cut = &text[..text.len() / 2];
    for bad in [&damaged, cut, ""] {
        let error = SnapshotFile::read(bad.as_bytes()).unwrap_err();
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(node.requests().len(), requests);
    let now = player.document().unwrap().to_text();
    assert_eq!(serde_json::from_slice::<Value>(&now).unwrap(), before);
}
