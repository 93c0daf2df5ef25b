//! What happens is told: to those who listen in this process, and to those who follow from others.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Back, Cleanup, Event, GRACE, Happened, Kind, Options};

use crate::common::{engine_on, memory, state};
use crate::leases::Later;

fn words(events: impl IntoIterator<Item = Event>) -> Vec<String> {
    let told = events.into_iter().map(|event| {
        let session = event.session.unwrap_or_default();
        format!("{} {session}", event.what.word())
    });
    told.collect()
}

#[test]
fn everything_is_told_here_and_elsewhere() {
    let store = memory();
    let (bot, other) = (engine_on(Arc::clone(&store)), engine_on(Arc::clone(&store)));
    let listener = bot.subscribe();
    let mut follower = other.follow().unwrap();
    assert!(follower.poll().unwrap().is_empty());
    for n in 1..4 {
        bot.save_json("s", state(n)).commit().unwrap();
    }
    bot.save_json("s", state(4))
        .kind(Kind::Auto)
        .commit()
        .unwrap();
    bot.save_json("s", state(5))
        .kind(Kind::Safety)
        .commit()
        .unwrap();
    bot.rollback("s", &Back::Steps(1)).unwrap().apply().unwrap();
    bot.undo("s").unwrap().apply().unwrap();
    bot.redo("s").unwrap().apply().unwrap();
    bot.put_back("s@-1").apply().unwrap();
    bot.fork("s@latest", "t").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.json");
    bot.put_back("t@latest").to_file(&file).apply().unwrap();
    bot.delete(&["t@latest"], GRACE).unwrap();
    let cleanup = Cleanup {
        session: Some("s".to_owned()),
        rules: Some(dalsegno::retention::Rules::new().keep_last(1)),
        ..Cleanup::default()
    };
    let plan = bot.cleanup_plan(&cleanup).unwrap();
    let deleted = bot.cleanup(&plan, &mut |_| {}).unwrap().deleted;
    let expected = [
        "created s",
        "created s",
        "created s",
        "auto_saved s",
        "rolled_back s",
        "undone s",
        "redone s",
        "restored s",
        "forked t",
        "restored t",
        "deleted t",
        "cleaned_up s",
    ];
    let all: Vec<Event> = std::iter::from_fn(|| listener.wait(Duration::ZERO)).collect();
    assert_eq!(words(all.clone()), expected);
    let Some(Happened::CleanedUp { deleted: told, .. }) = all.last().map(|it| it.what.clone())
    else {
        panic!("{all:?}");
    };
    assert_eq!(told, deleted);
    let Happened::Restored(went) = &all[9].what else {
        panic!("{:?}", all[9])
    };
    assert_eq!(went.target, file.display().to_string());
    // What was deleted since is not told any more by those who look later.
    let found = words(follower.poll().unwrap());
    for word in &found {
        assert!(expected.contains(&word.as_str()), "{word}");
    }
    assert!(found.contains(&"cleaned_up s".to_owned()) && found.contains(&"deleted t".to_owned()));
    assert!(follower.poll().unwrap().is_empty());
    bot.save_json("s", state(9)).commit().unwrap();
    assert_eq!(words(follower.poll().unwrap()), ["created s"]);
    assert_eq!(
        words(other.events(2).unwrap()),
        ["cleaned_up s", "created s"]
    );
    drop(bot);
    assert_eq!(words(listener), ["created s"], "and then it ends");
    // In JSON, and back.
    for event in all {
        let text = serde_json::to_value(&event).unwrap();
        assert_eq!(text["event"], event.what.word());
        assert_eq!(serde_json::from_value::<Event>(text).unwrap(), event);
    }
}

#[test]
fn a_lost_session_and_damage_are_told() {
    let store = memory();
    let (old, new) = (engine_on(Arc::clone(&store)), Later::on(&store));
    let listener = old.subscribe();
    let mut follower = new.follow().unwrap();
    old.open_session("s").unwrap();
    old.save_json("s", state(1)).commit().unwrap();
    new.open_session("s").unwrap();
    for _ in 0..2 {
        old.save_json("s", state(2)).commit().unwrap_err();
    }
    let here: Vec<Event> = std::iter::from_fn(|| listener.wait(Duration::ZERO)).collect();
    assert_eq!(words(here), ["created s", "lease_lost s"], "once");
    let told = follower.poll().unwrap();
    let lost = told.iter().find(|event| event.what.word() == "lease_lost");
    assert!(lost.unwrap().actor.is_some());
}

#[test]
fn who_is_slow_misses_the_oldest_and_holds_up_nobody() {
    let bot = engine_on(memory());
    let listener = bot.subscribe();
    for n in 0..5_000 {
        drop(bot.save_json("s", format!("{n}")).submit());
    }
    bot.flush().unwrap();
    assert_eq!(listener.missed(), 5_000 - 4_096);
    assert!(listener.wait(Duration::MAX).is_some());
}

/// Only so many notes are kept, and a follower who saw one has seen all before it.
#[test]
fn events_are_kept_for_a_while() {
    let store = memory();
    let bot = engine_on(Arc::clone(&store));
    let mut follower = bot.follow().unwrap();
    let mut seen = 0;
    for n in 0..30 {
        bot.save_json("s", format!("{n}")).commit().unwrap();
        bot.delete(&["s@latest"], GRACE).unwrap();
        if n % 7 == 0 {
            seen += follower.poll().unwrap().len();
        }
    }
    seen += follower.poll().unwrap().len();
    // Each deletion, and no snapshot that was gone before it was looked for.
    assert_eq!(seen, 30);
}

#[test]
fn who_did_it_is_known_to_other_programs_where_it_has_a_name() {
    let store = memory();
    let bot = Options::default().program("the bot").on(Arc::clone(&store));
    let nameless = engine_on(Arc::clone(&store));
    let saved = bot.save_json("s", "{\"n\":[1,2]}").commit().unwrap();
    assert_eq!(saved.actor.as_deref(), Some("the bot"));
    bot.save_json("s", "{\"n\":[3]}").commit().unwrap();
    nameless.save_json("s", "{}").commit().unwrap();
    bot.rollback("s", &Back::Steps(1)).unwrap().apply().unwrap();
    let told = nameless.events(9).unwrap();
    let actors: Vec<_> = told.iter().map(|event| event.actor.as_deref()).collect();
    let the_bot = Some("the bot");
    assert_eq!(actors, [the_bot, the_bot, None, the_bot]);
}
