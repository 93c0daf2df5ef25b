use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Error, ErrorKind, Result};
use dalsegno_scripted::{self as scripted, Fault, Node, Rule};
use dalsegno_sonora::lavalink::VoiceServer;
use dalsegno_sonora::{Bot, Happened, Keeping, Options, Rolling, TAKE, Voice, Waiting};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::world::{BOT, Channels, address, bot, engine, hold, node, playing, queue};

const SOON: Duration = Duration::from_secs(60);

fn joins(name: &str, node: &Node) -> Options {
    let options = Options::new(BOT).node(name, address(node)).hold(hold());
    options.voice(Arc::new(Channels))
}

/// A bot of that name on its own node, with an engine of its own on the one store.
async fn own(folder: &TempDir, name: &str, node: &Node) -> Bot {
    bot(&engine(folder), joins(name, node)).await.0
}

fn plays(node: &Node, guild: u64) -> bool {
    let player = node.player(guild);
    player.is_some_and(|it| it.identifier.is_some() && it.connected)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_go_to_the_new_bot_and_back() {
    let (blue, green, folder) = (node(), node(), tempfile::tempdir().unwrap());
    let old = own(&folder, "blue", &blue).await;
    for guild in 1..=3 {
        playing(&old, guild, 3).await;
    }
    let kept = old.client().player(2).unwrap();
    kept.set_volume(30).await.unwrap();
    let new = own(&folder, "green", &green).await;
    // It left alone what it has not.
    assert!(new.client().players().is_empty());
    let error = new.get_player(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked, "{error}");

    assert_eq!(new.prepare().await.unwrap().len(), 3);
    let taken = new.take_all(SOON).await.unwrap();
    assert_eq!(taken.len(), 3);
    assert!(
        taken
            .iter()
            .all(|it| it.upcoming == 3 && it.position / 1000 == 45),
        "{taken:?}"
    );
    assert!(new.verify().await.is_empty());
    blue.until(|node| (1..=3).all(|guild| node.player(guild).is_none()))
        .await
        .unwrap();
    for guild in 1..=3 {
        assert!(plays(&green, guild));
        assert_eq!(
            queue(&new.client().player(guild).unwrap().state()).1.len(),
            3
        );
    }
    assert_eq!(green.player(2).unwrap().volume, 30);
    // What somebody still holds of it does nothing there any more.
    let error = kept.skip().await.unwrap_err();
    assert!(error.to_string().contains("handed over"), "{error}");
    new.save(None).await.unwrap();

    // Rolling back is the same the other way round.
    new.client().player(1).unwrap().skip().await.unwrap();
    assert_eq!(old.take_all(SOON).await.unwrap().len(), 3);
    assert!(old.verify().await.is_empty());
    assert_eq!(
        blue.player(1).unwrap().identifier.as_deref(),
        Some("track-1")
    );
    green
        .until(|node| (1..=3).all(|guild| node.player(guild).is_none()))
        .await
        .unwrap();
    new.stop().await.unwrap();
    old.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_cannot_be_taken_all_go_on_where_they_were() {
    let (blue, green, folder) = (node(), node(), tempfile::tempdir().unwrap());
    let old = own(&folder, "blue", &blue).await;
    for guild in 1..=3 {
        playing(&old, guild, 1).await;
    }
    let new = own(&folder, "green", &green).await;
    green.script(Rule::new(Fault::Lie).on("PATCH", "/v4/sessions/*/players/2"));
    let error = new.take_all(SOON).await.unwrap_err();
    assert!(error.to_string().contains("guild 2"), "{error}");
    assert!(new.client().players().is_empty());
    green
        .until(|node| (1..=3).all(|guild| node.player(guild).is_none()))
        .await
        .unwrap();
    for guild in 1..=3 {
        assert!(plays(&blue, guild));
        let player = old.client().player(guild).unwrap();
        // It may be a moment until it is told that it has it again.
        let back = async {
            while player.set_volume(50).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, back).await.unwrap();
    }
    assert!(old.verify().await.is_empty());
    old.save(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_by_batch_one_that_fails_goes_back_alone() {
    let (blue, green, folder) = (node(), node(), tempfile::tempdir().unwrap());
    let old = own(&folder, "blue", &blue).await;
    for guild in 1..=5 {
        playing(&old, guild, 1).await;
    }
    let new = own(&folder, "green", &green).await;
    green.script(Rule::new(Fault::Lie).on("PATCH", "/v4/sessions/*/players/4"));
    let rolling = Rolling {
        batch: 2,
        between: Duration::ZERO,
        ..Rolling::default()
    };
    assert_eq!(Rolling::default().batch, 5);
    assert_eq!(Rolling::default().between, Duration::from_secs(10));
    let all = new.take_rolling(&rolling).await.unwrap();
    let here: Vec<_> = all
        .iter()
        .filter(|it| it.error.is_none())
        .map(|it| it.guild)
        .collect();
    assert_eq!(here, [1, 2, 3, 5], "{all:?}");
    assert!(plays(&blue, 4) && plays(&green, 5));
    old.client().player(4).unwrap();
    green.unscript();
    assert_eq!(new.take_over(4, SOON).await.unwrap().upcoming, 1);
    assert_eq!(new.prepare().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_nobody_would_hear_takes_nothing() {
    let (blue, green, folder) = (node(), node(), tempfile::tempdir().unwrap());
    let old = own(&folder, "blue", &blue).await;
    playing(&old, 1, 1).await;
    let mute = Options::new(BOT)
        .node("green", address(&green))
        .hold(hold());
    let (new, _) = bot(&engine(&folder), mute).await;
    let error = new.take_over(1, SOON).await.unwrap_err();
    assert!(error.to_string().contains("give it a voice"), "{error}");
    assert!(plays(&blue, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_with_a_name_is_asked_to_take_them() {
    let (blue, green, folder) = (node(), node(), tempfile::tempdir().unwrap());
    let old = own(&folder, "blue", &blue).await;
    playing(&old, 1, 1).await;
    playing(&old, 2, 1).await;
    let keeping = Keeping {
        name: Some("green".to_owned()),
        ..Keeping::default()
    };
    let options = joins("green", &green);
    let (new, _) = Bot::start(engine(&folder), options, keeping).await.unwrap();
    let other = engine(&folder);
    let ask = |verb: &'static str, arguments| {
        let other = Arc::clone(&other);
        let asked = move || {
            other
                .ask("sonora/bot/green", verb)
                .arguments(arguments)
                .send()
        };
        async { tokio::task::spawn_blocking(asked).await.unwrap() }
    };
    let looked = ask(TAKE, json!({"dry_run": true})).await.unwrap().value;
    assert_eq!(looked["offered"].as_array().unwrap().len(), 2, "{looked}");
    assert_eq!(looked["players"], json!([]));
    let taken = ask(TAKE, json!({})).await.unwrap().value;
    assert_eq!(
        (&taken["players"][1]["taken"]["guild"], &taken["wrong"]),
        (&json!(2), &json!([]))
    );
    assert!(plays(&green, 1) && plays(&green, 2));
    let rolling = json!({"rolling": true, "between_ms": 0});
    assert_eq!(
        ask(TAKE, rolling).await.unwrap().value["players"],
        json!([])
    );
    let error = ask("sonora.save", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    new.stop().await.unwrap();
    let error = ask(TAKE, json!({})).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

/// A channel that is closed to it, which takes a while to say so.
#[derive(Default)]
struct Slow {
    asked: Notify,
    go_on: Notify,
}

impl Voice for Slow {
    fn join(&self, _: u64, _: u64) -> Waiting<'_, Result<VoiceServer>> {
        Box::pin(async move {
            self.asked.notify_one();
            self.go_on.notified().await;
            Err(Error::new(ErrorKind::Denied, "this channel is closed"))
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_meanwhile_is_followed_by_the_bot_that_goes_on() {
    let (blue, green, folder) = (node(), node(), tempfile::tempdir().unwrap());
    let old = own(&folder, "blue", &blue).await;
    playing(&old, 1, 2).await;
    let slow = Arc::new(Slow::default());
    let options = joins("green", &green).voice(slow.clone());
    let (new, _) = bot(&engine(&folder), options).await;
    let meanwhile = async {
        slow.asked.notified().await;
        // Nobody changes it now, and its track ends.
        let player = old.client().player(1).unwrap();
        assert!(player.set_volume(1).await.is_err());
        assert!(blue.raise(1, scripted::Event::End(scripted::End::LoadFailed)));
        slow.go_on.notify_one();
    };
    let (taken, ()) = tokio::join!(new.take_over(1, SOON), meanwhile);
    let error = taken.unwrap_err();
    assert!(
        error.to_string().contains("this channel is closed"),
        "{error}"
    );
    let plays_on = |node: &Node| {
        let player = node.player(1);
        player.is_some_and(|it| it.identifier.as_deref() == Some("track-1"))
    };
    blue.until(plays_on).await.unwrap();
    assert!(new.client().players().is_empty());
}

/// A bot with two nodes, which leaves one that is lost at once.
async fn with_two(folder: &TempDir, nodes: &[Node; 2], voice: Arc<dyn Voice>) -> Bot {
    let options = joins("0", &nodes[0]).node("1", address(&nodes[1]));
    let options = options.voice(voice).fail_over(Duration::ZERO);
    bot(&engine(folder), options).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_bot_that_loses_its_node_while_it_takes_a_player_is_not_heard_on_another() {
    let (blue, greens) = (node(), [node(), node()]);
    let folder = tempfile::tempdir().unwrap();
    let old = own(&folder, "blue", &blue).await;
    playing(&old, 1, 2).await;
    let new = with_two(&folder, &greens, Arc::new(Channels)).await;
    let mut told = new.client().subscribe();
    // It is told what to play, and dies when it is asked whether it does.
    let asked = Rule::new(Fault::DieAfter(0)).on("GET", "/v4/sessions/*/players/1");
    greens[0].script(asked);
    let taken = tokio::time::timeout(SOON, new.take_over(1, SOON)).await;
    let error = taken.unwrap().unwrap_err();
    assert!(error.to_string().contains("went back"), "{error}");
    assert!(greens[0].is_dead());
    // What the fail-over made of it.
    loop {
        let it = told.recv().await.unwrap();
        if it.guild == Some(1) && matches!(it.what, Happened::Failed(_) | Happened::Moved(_)) {
            break;
        }
    }
    let is_gone = |node: &Node| node.player(1).is_none();
    greens[1].until(is_gone).await.unwrap();
    assert!(plays(&blue, 1));
    assert!(new.client().players().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_bot_that_loses_its_node_while_it_hands_a_player_over_goes_on_with_it_elsewhere() {
    let (mut blues, green) = ([node(), node()], node());
    let folder = tempfile::tempdir().unwrap();
    let old = with_two(&folder, &blues, Arc::new(Channels)).await;
    let player = playing(&old, 1, 2).await;
    let slow = Arc::new(Slow::default());
    let options = joins("green", &green).voice(slow.clone());
    let (new, _) = bot(&engine(&folder), options).await;
    let meanwhile = async {
        slow.asked.notified().await;
        assert_eq!(player.node().unwrap().name(), "0");
        blues[0].kill();
        // Its players are to go elsewhere; this one stands still.
        while player.node().is_some() {
            tokio::task::yield_now().await;
        }
        slow.go_on.notify_one();
    };
    let (taken, ()) = tokio::join!(new.take_over(1, SOON), meanwhile);
    let error = taken.unwrap_err().to_string();
    assert!(error.contains("this channel is closed"), "{error}");
    let goes_on = |node: &Node| plays(node, 1);
    blues[1].until(goes_on).await.unwrap();
    assert!(!plays(&green, 1));
    assert_eq!(queue(&player.state()).1.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_whose_node_is_lost_after_it_went_is_the_new_bots() {
    let (blues, green) = ([node(), node()], node());
    let folder = tempfile::tempdir().unwrap();
    let old = with_two(&folder, &blues, Arc::new(Channels)).await;
    playing(&old, 1, 2).await;
    let new = own(&folder, "green", &green).await;
    // It cannot be told that the player is not its any more.
    let ended = Rule::new(Fault::DieAfter(0)).on("DELETE", "/v4/sessions/*/players/1");
    blues[0].script(ended);
    assert_eq!(new.take_over(1, SOON).await.unwrap().upcoming, 2);
    blues[0].until(Node::is_dead).await.unwrap();
    assert!(plays(&green, 1));
    old.stop().await.unwrap();
    assert!(blues[1].heard(1).is_empty());
    assert!(new.verify().await.is_empty());
}
