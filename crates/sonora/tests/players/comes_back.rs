use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, ErrorKind};
use dalsegno_scripted::{Node, Sound};
use dalsegno_sonora::lavalink::{Address, Password};
use dalsegno_sonora::{Bot, Client, How, Options};

use crate::world::{
    BOT, Channels, address, bot, engine, hold, node, options, queue, tracks, voice,
};

/// Three guilds that play, and what each has before it.
async fn fill(bot: &Bot) {
    for guild in 1..=3 {
        let player = bot.get_player(guild).await.unwrap();
        player
            .connect(voice(if guild == 2 { 13 } else { 5 }))
            .await
            .unwrap();
        let mut found = tracks(bot.client(), 0..5).await;
        let rest = found.split_off(1);
        player.play(found.remove(0)).await.unwrap();
        player
            .edit(None, |state| state.queue.add_many(rest, None))
            .unwrap();
        player.seek(30_000 * guild).await.unwrap();
    }
    bot.client().player(3).unwrap().pause(true).await.unwrap();
    bot.save(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_that_comes_back_in_time_is_not_heard() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let (first, _) = bot(&engine, options(&node)).await;
    fill(&first).await;
    let heard: Vec<_> = (1..=3).map(|guild| node.heard(guild)).collect();
    first.stop().await.unwrap();

    let (second, recovery) = bot(&engine, options(&node)).await;
    assert_eq!(recovery.players.len(), 3);
    for brought in &recovery.players {
        assert!(matches!(brought.how, How::Kept), "{brought:?}");
    }
    assert_eq!(
        (1..=3).map(|guild| node.heard(guild)).collect::<Vec<_>>(),
        heard
    );
    let player = second.client().player(3).unwrap();
    assert_eq!(queue(&player.state()).1.len(), 4);
    assert!(player.state().paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_without_the_bot_is_followed() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let (first, _) = bot(&engine, options(&node)).await;
    fill(&first).await;
    first.stop().await.unwrap();
    // The track of the first guild ends while nobody listens.
    assert!(node.raise(
        1,
        dalsegno_scripted::Event::End(dalsegno_scripted::End::Finished)
    ));
    let (second, _) = bot(&engine, options(&node)).await;
    node.until(|node| {
        node.player(1)
            .is_some_and(|it| it.identifier.as_deref() == Some("track-1"))
    })
    .await
    .unwrap();
    let player = second.client().player(1).unwrap();
    assert_eq!(queue(&player.state()).0, Some("track-1"));
    let starts = node
        .heard(1)
        .iter()
        .filter(|it| matches!(it.sound, Sound::Started { .. }))
        .count();
    assert_eq!(starts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_node_is_gone_too_all_play_elsewhere_but_those_that_cannot() {
    let mut gone = node();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let (first, _) = bot(&engine, options(&gone)).await;
    fill(&first).await;
    first.stop().await.unwrap();
    gone.kill();
    let kept = |engine: &Engine| {
        engine
            .restore("sonora/2@latest")
            .unwrap()
            .to::<serde_json::Value>()
            .unwrap()
    };
    let before = kept(&engine);

    let there = node();
    let options = Options::new(BOT)
        .node(
            "main",
            Address::new("127.0.0.1", gone.port(), Password::new("x")),
        )
        .node("other", address(&there))
        .hold(hold())
        .voice(Arc::new(Channels));
    let (second, recovery) = bot(&engine, options).await;
    let how: Vec<_> = recovery
        .players
        .iter()
        .map(|it| (it.guild, &it.how))
        .collect();
    assert!(
        matches!(
            how[..],
            [
                (1, How::PutBack),
                (2, How::Failed { .. }),
                (3, How::PutBack)
            ]
        ),
        "{how:?}"
    );
    for guild in [1, 3] {
        let player = there.player(guild).unwrap();
        assert_eq!(player.identifier.as_deref(), Some("track-0"));
        assert_eq!(player.position / 10_000, guild * 3, "{player:?}");
        assert_eq!((player.paused, player.connected), (guild == 3, true));
        assert_eq!(
            queue(&second.client().player(guild).unwrap().state())
                .1
                .len(),
            4
        );
    }
    // What could not be brought back is not lost by that.
    second.stop().await.unwrap();
    let kept = kept(&engine);
    assert_eq!(kept["queue"]["upcoming"].as_array().unwrap().len(), 4);
    assert_eq!(kept["player"]["position"], before["player"]["position"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_left_for_another() {
    let (mut one, mut two) = (node(), node());
    let options = Options::new(BOT)
        .node("one", address(&one))
        .node("two", address(&two))
        .hold(hold())
        .fail_over(Duration::ZERO)
        .voice(Arc::new(Channels));
    let client = Client::start(options).await.unwrap();
    let player = client.get_player(1);
    player.connect(voice(5)).await.unwrap();
    player
        .play(tracks(&client, 0..1).await.remove(0))
        .await
        .unwrap();
    let (gone, other) = match player.node().unwrap().name() {
        "one" => (&mut one, &two),
        _ => (&mut two, &one),
    };
    player.seek(90_000).await.unwrap();
    gone.kill();
    other
        .until(|node| node.player(1).is_some_and(|it| it.identifier.is_some()))
        .await
        .unwrap();
    let there = other.player(1).unwrap();
    assert!(
        there.position >= 90_000 && there.position < 110_000,
        "{there:?}"
    );
}

#[tokio::test]
async fn a_wrong_password_another_version_and_no_node_at_all_are_said() {
    let right = node();
    let wrong = Options::new(BOT).node(
        "main",
        Address::new("127.0.0.1", right.port(), Password::new("guess")),
    );
    let v3 = Node::start(dalsegno_scripted::Options::v3()).unwrap();
    let old = Options::new(BOT).node("main", address(&v3));
    let mut dead = node();
    dead.kill();
    let nobody = Options::new(BOT).node("main", address(&dead));
    for (options, kind, words) in [
        (wrong, ErrorKind::Denied, "does not accept the password"),
        (
            old,
            ErrorKind::InvalidInput,
            "is version 3.7.13; version 4 is needed",
        ),
        (nobody, ErrorKind::Unreachable, "does not answer"),
    ] {
        let error = Client::start(options).await.err().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("guess"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_bot_leaves_the_players_of_the_first_alone() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (engine(&folder), engine(&folder));
    let (first, _) = bot(&one, options(&node)).await;
    fill(&first).await;
    let heard: Vec<_> = (1..=3).map(|guild| node.heard(guild)).collect();
    let (second, recovery) = bot(&two, options(&node)).await;
    assert!(recovery.players.is_empty(), "{:?}", recovery.players);
    let refused: Vec<_> = recovery
        .passed_over
        .iter()
        .map(|(_, error)| error.kind())
        .collect();
    assert_eq!(refused, [ErrorKind::Locked; 3]);
    assert_eq!(
        second.get_player(1).await.unwrap_err().kind(),
        ErrorKind::Locked
    );
    assert!(second.client().player(1).is_none());
    assert_eq!(
        (1..=3).map(|guild| node.heard(guild)).collect::<Vec<_>>(),
        heard
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_player_that_was_ended_stays_ended() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let (first, _) = bot(&engine, options(&node)).await;
    fill(&first).await;
    first.destroy(2).await.unwrap();
    assert!(node.player(2).is_none());
    first.stop().await.unwrap();
    let (second, recovery) = bot(&engine, options(&node)).await;
    let guilds: Vec<_> = recovery.players.iter().map(|it| it.guild).collect();
    assert_eq!(guilds, [1, 3]);
    assert!(second.client().player(2).is_none());
    let kept: serde_json::Value = engine.restore("sonora/2@-1").unwrap().to().unwrap();
    assert_eq!(kept["queue"]["upcoming"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_emergency_the_newest_state_that_can_be_restored_is() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(&folder);
    let (bot, _) = bot(&engine, options(&node)).await;
    fill(&bot).await;
    let player = bot.client().player(1).unwrap();
    let good = engine.info("sonora/1@latest").unwrap().id;
    player.reset().await.unwrap();
    // What another program may have written there.
    bot.save(None).await.unwrap();
    engine
        .save("sonora/1", &serde_json::json!({"queue": "none"}))
        .commit()
        .unwrap();
    let good = good.to_string();
    let done = bot
        .emergency_restore(1, Some("sonora/1@2001-01-01T00:00"))
        .await
        .unwrap();
    assert_eq!(done.failed.len(), 2, "{:?}", done.failed);
    let restored = done.snapshot.unwrap();
    assert!(
        restored.id.to_string() > good,
        "the newest that can be restored is that of the reset"
    );
    let done = bot.emergency_restore(1, Some(&good)).await.unwrap();
    assert_eq!((done.player.upcoming, done.failed.len()), (4, 0));
    assert_eq!(
        node.player(1).unwrap().identifier.as_deref(),
        Some("track-0")
    );
}
