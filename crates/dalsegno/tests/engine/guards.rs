//! The shrink guard: nothing of a guarded list is lost without a word, and nothing that was taken away on purpose
//! comes back.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use dalsegno::guard::{End, GuardPolicy, GuardRule, GuardStatus, Recommendation};
use dalsegno::{
    Cleanup, Engine, Error, ErrorKind, GuardReport, Happened, Kind, Options, Query, Snapshot,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{effort, engine_on, memory};

/// An engine that guards the messages of every chat.
fn chats() -> Engine {
    let engine = engine_on(memory());
    guard(&engine, 5);
    engine
}

fn guard(engine: &Engine, generations: u32) {
    let guard = GuardPolicy::new("chat/*").list(GuardRule::new("messages"));
    engine.set_guard(&guard.generations(generations)).unwrap();
}

/// A chat of the messages `from..to`.
fn chat(messages: impl IntoIterator<Item = u32>) -> Value {
    let messages = messages.into_iter().map(|n| json!({"n": n}));
    json!({"messages": messages.collect::<Vec<_>>()})
}

fn save(engine: &Engine, messages: impl IntoIterator<Item = u32>) -> Snapshot {
    engine.save("chat/1", &chat(messages)).commit().unwrap()
}

fn said(engine: &Engine, messages: impl IntoIterator<Item = u32>, intent: &str) -> Snapshot {
    let save = engine.save("chat/1", &chat(messages));
    save.intent(intent).commit().unwrap()
}

fn messages(engine: &Engine) -> Vec<u64> {
    let state: Value = engine.restore("chat/1@latest").unwrap().to().unwrap();
    let messages = state["messages"].as_array().unwrap().iter();
    messages.map(|m| m["n"].as_u64().unwrap()).collect()
}

fn status(engine: &Engine) -> GuardReport {
    engine.guard_status("chat/1").unwrap()
}

/// How many items each kept state has, newest first.
fn kept(engine: &Engine) -> Vec<usize> {
    let generations = status(engine).generations;
    let count = |generation: &Snapshot| {
        let state: Value = engine
            .restore(&generation.id.to_string())
            .unwrap()
            .to()
            .unwrap();
        state["messages"].as_array().unwrap().len()
    };
    generations.iter().map(count).collect()
}

fn restore(engine: &Engine) -> Result<Vec<u64>, Error> {
    engine.guard_restore("chat/1", None)?.apply()?;
    Ok(messages(engine))
}

fn numbers(range: impl IntoIterator<Item = u64>) -> Vec<u64> {
    range.into_iter().collect()
}

#[test]
fn a_thousand_messages_that_became_fifty_and_thirty_all_come_back() {
    let engine = chats();
    save(&engine, 0..1000);
    let small = save(&engine, 0..50);
    save(&engine, 0..30);
    assert_eq!(kept(&engine), [50, 1000]);
    let report = status(&engine);
    assert_eq!(
        report.judgement.reason,
        "messages: 970 of 1000 lost; nothing is newer"
    );
    assert_eq!(report.judgement.recommendation, Recommendation::Restore);
    assert!(matches!(
        report.judgement.status,
        GuardStatus::ShrunkByAccident { .. }
    ));
    assert_eq!(report.fullest, Some(report.generations[1].id));
    let labels: Vec<_> = report.generations.iter().map(|g| g.label.clone()).collect();
    assert_eq!(
        labels,
        [
            Some("messages: 20 of 50 lost".to_owned()),
            Some("messages: 950 of 1000 lost".to_owned())
        ]
    );
    // A generation stands beside the history, and takes no room of its own.
    assert_eq!(engine.info("chat/1@-1").unwrap().id, small.id);
    assert!(report.generations.iter().all(|g| g.stored_size == 0));
    assert_eq!(restore(&engine).unwrap(), numbers(0..1000));
    let report = status(&engine);
    assert_eq!(report.judgement.status, GuardStatus::Fine);
    assert_eq!(restore(&engine).unwrap(), numbers(0..1000), "again");
    // It is a restore like any other.
    engine.undo("chat/1").unwrap().apply().unwrap();
    assert_eq!(messages(&engine), numbers(0..30));
    engine.redo("chat/1").unwrap().apply().unwrap();
    assert_eq!(messages(&engine), numbers(0..1000));
}

#[test]
fn of_ten_eight_nine_nothing_newer_is_lost() {
    let engine = chats();
    save(&engine, 0..10);
    save(&engine, 0..8);
    save(&engine, (0..8).chain([20]));
    let report = status(&engine);
    assert!(matches!(
        report.judgement.status,
        GuardStatus::Diverged { newer: 1, .. }
    ));
    assert_eq!(report.judgement.recommendation, Recommendation::Merge);
    assert_eq!(restore(&engine).unwrap(), numbers((0..10).chain([20])));
}

#[test]
fn what_was_emptied_comes_back_and_what_is_no_json_is_refused() {
    let engine = chats();
    save(&engine, 0..10);
    for torn in [&b""[..], b"{\"messages\":[{\"n\":0},{\"n\"", &[0; 64]] {
        let refused = engine.save_json("chat/1", torn).commit().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(messages(&engine), numbers(0..10));
    for emptied in [json!({"messages": []}), json!({}), json!(null)] {
        engine.save("chat/1", &emptied).commit().unwrap();
        let report = status(&engine);
        let recommended = report.judgement.recommendation;
        assert_eq!(recommended, Recommendation::Restore, "{emptied}");
        assert_eq!(restore(&engine).unwrap(), numbers(0..10));
    }
    // Where something else stands, there is no place for a list.
    let other = json!({"messages": "none"});
    engine.save("chat/1", &other).commit().unwrap();
    let error = restore(&engine).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(
        engine
            .restore("chat/1@latest")
            .unwrap()
            .to::<Value>()
            .unwrap(),
        other
    );
}

#[test]
fn clear_undo_and_compress_stay_done() {
    let engine = chats();
    save(&engine, 0..10);
    said(&engine, 0..8, "undo");
    assert!(
        kept(&engine).is_empty(),
        "nothing is kept of what was meant"
    );
    let report = status(&engine);
    let intent = "undo".to_owned();
    assert_eq!(
        report.judgement.status,
        GuardStatus::ShrunkOnPurpose { intent }
    );
    // An accident before and after: what was undone stays away.
    save(&engine, 4..8);
    assert_eq!(restore(&engine).unwrap(), numbers(0..8));
    said(&engine, [100, 6, 7], "compress");
    save(&engine, [100]);
    assert_eq!(restore(&engine).unwrap(), [100, 6, 7]);
    said(&engine, [], "clear: the user asked for it");
    assert_eq!(restore(&engine).unwrap(), numbers([]));
    let report = status(&engine);
    let GuardStatus::ShrunkOnPurpose { intent } = &report.judgement.status else {
        panic!("{report:?}");
    };
    assert_eq!(intent, "clear: the user asked for it");
    save(&engine, [200]);
    assert_eq!(restore(&engine).unwrap(), [200]);
    let latest = engine.info("chat/1@-1").unwrap();
    assert_eq!(
        latest.intent.as_deref(),
        Some("clear: the user asked for it")
    );
}

/// Also where an accident left nothing that a clear could take away.
#[test]
fn a_clear_stands_for_itself() {
    let engine = chats();
    save(&engine, 0..10);
    save(&engine, []);
    said(&engine, [], "clear");
    assert!(restore(&engine).unwrap().is_empty());
}

/// Of a state that is made of two, no row says by itself that the session went back.
#[test]
fn going_back_in_part_is_meant_too() {
    let engine = chats();
    let chat = |messages: std::ops::Range<u32>, turn: u32| {
        let mut state = chat(messages);
        state["turn"] = json!(turn);
        engine.save("chat/1", &state).commit().unwrap()
    };
    let first = chat(0..3, 1);
    chat(0..9, 2);
    chat(0..7, 3);
    assert_eq!(kept(&engine), [9]);
    let back = engine.put_back(&first.id.to_string()).component("messages");
    back.apply().unwrap();
    assert_eq!(kept(&engine), [9], "it is no accident");
    assert_eq!(
        restore(&engine).unwrap(),
        [0, 1, 2, 7, 8],
        "3 to 6 were meant"
    );
}

/// What is brought in from elsewhere is a history that happened: nothing of it is lost here.
#[test]
fn an_import_is_meant_too() {
    let elsewhere = engine_on(memory());
    save(&elsewhere, 0..10);
    save(&elsewhere, 0..2);
    let mut out = Vec::new();
    elsewhere.export(None, &mut out).unwrap();
    let engine = chats();
    engine.import(&out[..]).unwrap();
    assert!(kept(&engine).is_empty());
    assert_eq!(messages(&engine), [0, 1]);
    assert_eq!(restore(&engine).unwrap(), [0, 1]);
    // From then on it counts.
    save(&engine, [0]);
    assert_eq!(kept(&engine), [2]);
}

#[test]
fn going_back_is_meant_too() {
    let engine = chats();
    save(&engine, 0..3);
    let five = save(&engine, 0..5);
    save(&engine, 0..9);
    save(&engine, [0, 1, 8]);
    assert_eq!(kept(&engine), [9]);
    let back = dalsegno::Back::To(five.id.to_string());
    engine.rollback("chat/1", &back).unwrap().apply().unwrap();
    assert_eq!(kept(&engine), [9], "a rollback is no accident");
    assert_eq!(restore(&engine).unwrap(), numbers(0..5), "nor is it a loss");
    assert_eq!(status(&engine).judgement.status, GuardStatus::Fine);
    // As if it had not been: the accident counts again.
    engine.undo("chat/1").unwrap().apply().unwrap();
    assert_eq!(restore(&engine).unwrap(), numbers(0..9));
}

#[test]
fn where_the_state_before_an_intent_is_gone_a_person_decides() {
    let engine = chats();
    save(&engine, 0..10);
    save(&engine, 0..6);
    let six = engine.info("chat/1@latest").unwrap();
    said(&engine, 0..4, "undo");
    assert_eq!(
        restore(&engine).unwrap(),
        [0, 1, 2, 3, 6, 7, 8, 9],
        "4 and 5 were taken away"
    );
    engine.undo("chat/1").unwrap().apply().unwrap();
    engine
        .delete(&[&six.id.to_string()], dalsegno::GRACE)
        .unwrap();
    let report = status(&engine);
    assert_eq!(report.judgement.recommendation, Recommendation::ByHand);
    let error = restore(&engine).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let fullest = report.fullest.unwrap();
    assert!(error.to_string().contains(&fullest.to_string()), "{error}");
    assert_eq!(messages(&engine), numbers(0..4), "nothing was changed");
    // Whoever names a state means it.
    let restore = engine.guard_restore("chat/1", Some(&fullest.to_string()));
    restore.unwrap().apply().unwrap();
    assert_eq!(messages(&engine), numbers(0..10));
}

#[test]
fn a_restore_does_not_take_away_what_was_saved_meanwhile() {
    let engine = chats();
    save(&engine, 0..10);
    save(&engine, 0..8);
    let restore = engine.guard_restore("chat/1", None).unwrap();
    let plan = restore.plan().unwrap().unwrap();
    assert!(plan.changes);
    assert_eq!(restore.returned()[0].items, 2);
    save(&engine, (0..8).chain([30]));
    assert_eq!(restore.apply().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(messages(&engine), numbers((0..8).chain([30])));
}

#[test]
fn generations_have_limits_of_their_own_and_the_fullest_is_not_the_first_to_go() {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    guard(&engine, 3);
    for n in (1..=9).rev() {
        save(&engine, 0..n * 10);
    }
    engine.close().unwrap();
    let engine = engine_on(Arc::clone(&store));
    assert_eq!(kept(&engine), [20, 30, 90]);
    // Ordinary retention leaves them alone.
    let rules = dalsegno::retention::Rules::new().keep_last(1);
    let cleanup = Cleanup {
        rules: Some(rules),
        purge: true,
        ..Cleanup::default()
    };
    let plan = engine.cleanup_plan(&cleanup).unwrap();
    engine.cleanup(&plan, &mut |_| {}).unwrap();
    assert_eq!(kept(&engine), [20, 30, 90]);
    assert_eq!(restore(&engine).unwrap(), numbers(0..90));
    // Theirs are taken by a cleanup without rules as well.
    guard(&engine, 1);
    let plan = engine.cleanup_plan(&Cleanup::default()).unwrap();
    assert_eq!((plan.deleted, plan.kept), (2, 1));
    engine.cleanup(&plan, &mut |_| {}).unwrap();
    assert_eq!(kept(&engine), [90]);
    // A pin has none.
    let pinned = status(&engine).generations[0].id;
    engine.pin(&pinned.to_string(), true).unwrap();
    save(&engine, [500]);
    save(&engine, [501]);
    engine.close().unwrap();
    let engine = engine_on(store);
    assert_eq!(kept(&engine), [1, 90]);
}

#[test]
fn a_queue_is_consumed_and_a_history_trimmed_without_a_word() {
    let store = memory();
    let guard = GuardPolicy::new("bot/*")
        .list(GuardRule::new("upcoming").consumed(End::Front))
        .list(GuardRule::new("played").trimmed(End::Front).bound(3));
    let engine = Options::default().guards(vec![guard]).on(store);
    let save = |upcoming: Value, played: Value| {
        let state = json!({"upcoming": upcoming, "played": played});
        engine.save("bot/1", &state).commit().unwrap();
        engine.guard_status("bot/1").unwrap().generations.len()
    };
    assert_eq!(save(json!(["a", "b", "c", "d"]), json!(["x", "y", "z"])), 0);
    assert_eq!(save(json!(["b", "c", "d"]), json!(["y", "z", "a"])), 0);
    assert_eq!(save(json!(["c", "d"]), json!(["z", "a", "b"])), 0);
    assert_eq!(save(json!([]), json!(["z", "a", "b"])), 1);
    assert_eq!(save(json!([]), json!([])), 2);
    assert_eq!(
        engine.guard_status("bot/1").unwrap().judgement.reason,
        "upcoming: 2 of 2 lost, played: 3 of 3 lost; nothing is newer"
    );
}

#[test]
fn a_loss_is_told_and_many_saves_of_one_commit_are_each_looked_at() {
    let engine = chats();
    let heard = engine.subscribe();
    let soon = std::time::Duration::ZERO;
    let saves = [0..5, 0..9, 0..2, 0..7, 0..7, 0..1]
        .map(|range| engine.save("chat/1", &chat(range)))
        .into_iter();
    for ticket in engine.submit_together(saves.collect()) {
        ticket.wait().unwrap();
    }
    assert_eq!(kept(&engine), [7, 9]);
    let guarded = |event: dalsegno::Event| match event.what {
        Happened::ShrinkGuarded { snapshot } => Some(snapshot),
        _ => None,
    };
    let told: Vec<_> = std::iter::from_fn(|| heard.wait(soon))
        .filter_map(guarded)
        .collect();
    let generations = status(&engine).generations;
    assert_eq!(told, [generations[1].id, generations[0].id]);
    // Asked for afterwards, each stands before the save that lost the items.
    let words: Vec<&str> = engine
        .events(9)
        .unwrap()
        .iter()
        .map(|it| it.what.word())
        .collect();
    let lossy = ["shrink_guarded", "created"];
    assert_eq!(words[2..4], lossy);
    assert_eq!(words[6..8], lossy);
    let page = engine.list(&Query::session("chat/1")).unwrap();
    let guards = page.snapshots.iter().filter(|s| s.kind == Kind::Guard);
    assert_eq!(guards.count(), 2);
    assert!(engine.verify(None).unwrap().damage.is_empty());
}

#[test]
fn the_state_beside_the_history_is_not_the_one_before() {
    let engine = chats();
    save(&engine, 0..9);
    // What stood in a file that a restore replaced.
    let beside = engine.save("chat/1", &chat(0..2)).kind(Kind::Safety);
    beside.commit().unwrap();
    save(&engine, 0..9);
    assert!(kept(&engine).is_empty());
    let beside = engine.save("chat/1", &chat(0..2)).kind(Kind::Safety);
    beside.commit().unwrap();
    save(&engine, 0..3);
    assert_eq!(kept(&engine), [9]);
    let mut saves = vec![engine.save("chat/1", &chat(0..8))];
    saves.push(engine.save("chat/1", &chat(0..1)).kind(Kind::Safety));
    saves.push(engine.save("chat/1", &chat(0..7)));
    for ticket in engine.submit_together(saves) {
        ticket.wait().unwrap();
    }
    assert_eq!(kept(&engine), [8, 9]);
}

#[test]
fn guards_are_kept_in_the_store_and_refused_where_they_make_no_sense() {
    let store = memory();
    let engine = engine_on(Arc::clone(&store));
    let odd = GuardPolicy::new("chat/*").list(GuardRule::new("a..b"));
    assert_eq!(
        engine.set_guard(&odd).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    guard(&engine, 5);
    let other = GuardPolicy::new("**").list(GuardRule::new("queue"));
    engine.set_guard(&other).unwrap();
    guard(&engine, 7);
    let names = |engine: &Engine| {
        let guards = engine.guards().unwrap();
        let of = |g: &GuardPolicy| (g.pattern.clone(), g.generations);
        guards.iter().map(of).collect::<Vec<_>>()
    };
    let other = engine_on(store);
    assert_eq!(names(&other), [("chat/*".into(), 7), ("**".into(), 5)]);
    save(&other, 0..3);
    assert_eq!(other.guarded_sessions().unwrap(), ["chat/1"]);
    other.remove_guard("chat/*").unwrap();
    assert_eq!(names(&engine), [("**".into(), 5)]);
    let error = other.remove_guard("chat/*").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    save(&engine, 0..1);
    assert!(kept(&engine).is_empty(), "nothing guards its messages now");
    engine.remove_guard("**").unwrap();
    let error = engine.guard_status("chat/1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn what_is_owed_goes_with_an_export() {
    let engine = chats();
    save(&engine, 0..9);
    save(&engine, 0..4);
    said(&engine, 0..3, "undo");
    let before = status(&engine);
    let mut all = Vec::new();
    engine.export(None, &mut all).unwrap();
    let other = chats();
    other.import(&all).unwrap();
    assert_eq!(kept(&other), [9], "and none for what was imported");
    assert_eq!(status(&other).judgement, before.judgement);
    let back = restore(&other).unwrap();
    assert_eq!(back, [0, 1, 2, 4, 5, 6, 7, 8], "what was undone stays away");
    // A fork begins anew: it owes nothing.
    other.fork("chat/1@latest", "chat/2").unwrap();
    let fork = other.guard_status("chat/2").unwrap();
    assert_eq!(fork.judgement.status, GuardStatus::Fine);
}

/// A chat that lost items by accident and on purpose, in a file in which `spoil` is run: with the snapshot of the intent.
fn spoiled(spoil: &str) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Engine::create(&path).unwrap();
    guard(&engine, 5);
    save(&engine, 0..10);
    save(&engine, 0..6);
    said(&engine, 0..2, "undo");
    save(&engine, [0, 1, 50]);
    engine.close().unwrap();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(spoil).unwrap();
    drop(file);
    (folder, Engine::open(&path).unwrap())
}

/// Which of the rows of snapshots the undo is.
const UNDO: &str = "seq = (SELECT seq FROM snapshot ORDER BY seq DESC LIMIT 1 OFFSET 1)";

#[test]
fn what_a_snapshot_took_away_that_cannot_be_read_is_not_brought_back() {
    let (_folder, engine) = spoiled("");
    assert_eq!(restore(&engine).unwrap(), [0, 1, 6, 7, 8, 9, 50]);
    for spoil in [
        "UPDATE snapshot SET detail = x'00' WHERE ",
        "UPDATE snapshot SET flags = 2 WHERE ",
        "DELETE FROM snapshot WHERE ",
    ] {
        let (_folder, engine) = spoiled(&format!("{spoil}{UNDO}"));
        assert!(!engine.verify(None).unwrap().is_intact());
        let report = status(&engine);
        assert_eq!(report.damage.len(), 1, "{spoil}");
        let judgement = report.judgement;
        assert_eq!(judgement.recommendation, Recommendation::ByHand, "{spoil}");
        let why = judgement.reason;
        assert!(why.contains("a snapshot since cannot be read"), "{why}");
        let refused = restore(&engine).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{spoil}");
        assert_eq!(messages(&engine), [0, 1, 50], "{spoil}");
        // Whoever names a state means it.
        let fullest = report.fullest.unwrap().to_string();
        let back = engine.guard_restore("chat/1", Some(&fullest)).unwrap();
        back.apply().unwrap();
        assert_eq!(messages(&engine), numbers((0..10).chain([50])));
        // Until it is known what is owed, nothing of it is too much.
        save(&engine, [50]);
        guard(&engine, 1);
        save(&engine, []);
        let plan = engine.cleanup_plan(&Cleanup::default()).unwrap();
        assert_eq!(plan.deleted, 0, "{spoil}");
        assert_eq!(kept(&engine), [1, 11, 10], "{spoil}");
    }
}

/// Nobody looks for notes of such a kind, but for `verify`.
#[test]
fn a_guard_whose_kind_is_damaged_is_missed() {
    let (_folder, engine) = spoiled("UPDATE note SET kind = 99 WHERE kind = 4");
    assert!(engine.guards().unwrap().is_empty());
    let found = engine.verify(None).unwrap();
    let damage: Vec<_> = found.damage.iter().map(|it| &*it.message).collect();
    assert_eq!(damage, ["the note is damaged"]);
}

#[test]
fn a_damaged_guard_guards_nothing_and_is_named() {
    for spoil in ["detail = x'0001'", "checksum = zeroblob(16)"] {
        named(&format!("UPDATE note SET {spoil} WHERE kind = 4"));
    }
}

fn named(spoil: &str) {
    let (_folder, engine) = spoiled(spoil);
    let found = engine.verify(None).unwrap();
    let damage: Vec<_> = found.damage.iter().map(|it| &*it.message).collect();
    assert_eq!(damage, ["the guard is damaged"]);
    assert_eq!(engine.guards().unwrap_err().kind(), ErrorKind::Damaged);
    let nothing = engine.guard_status("chat/1").unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound);
    assert!(engine.guarded_sessions().unwrap().is_empty());
    // Nobody's save waits for its repair.
    save(&engine, [50]);
    guard(&engine, 5);
    assert!(engine.verify(None).unwrap().is_intact());
    assert_eq!(kept(&engine), [10]);
    // What was kept before is owed still.
    assert_eq!(restore(&engine).unwrap(), [0, 1, 6, 7, 8, 9, 50]);
}

/// What a program does to a chat of which each message is a number, always in order.
#[derive(Debug, Clone)]
enum Step {
    /// A save without a word, of these messages of those there are and these new ones.
    Save(u16, u8),
    /// A save that means it.
    Undo(u16, u8),
    Clear,
    /// Messages that went come back by hand.
    Again(u16),
    Rollback(u32),
    TakeBack,
    Restore,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<u16>(), 0..4_u8).prop_map(|(keep, new)| Step::Save(keep, new)),
        2 => Just(Step::Save(u16::MAX, 2)),
        2 => (any::<u16>(), 0..3_u8).prop_map(|(keep, new)| Step::Undo(keep, new)),
        1 => Just(Step::Clear),
        1 => any::<u16>().prop_map(Step::Again),
        1 => (1..4_u32).prop_map(Step::Rollback),
        1 => Just(Step::TakeBack),
        2 => Just(Step::Restore),
        1 => Just(Step::Reopen),
    ]
}

/// What is there, and what is owed because it went without a word.
#[derive(Debug, Clone, Default)]
struct Known {
    there: BTreeSet<u32>,
    owed: BTreeSet<u32>,
}

/// What came back by hand stands elsewhere, perhaps: then a person decides.
fn disordered(error: &Error) -> bool {
    error.kind() == ErrorKind::Conflict && error.to_string().contains("in another order")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(effort(96, 20_000)))]

    /// What was lost without a word comes back, all of it, and nothing that was meant to be gone.
    #[test]
    fn what_is_owed_comes_back_and_nothing_else(steps in proptest::collection::vec(step(), 1..24)) {
        let store = memory();
        let mut engine = engine_on(Arc::clone(&store));
        guard(&engine, 1_000);
        let mut known = Known::default();
        // By snapshot, what was known when it was the newest.
        let mut then: HashMap<String, Known> = HashMap::new();
        let mut next = 0;
        let keep = |of: &BTreeSet<u32>, mask: u16| -> BTreeSet<u32> {
            let of = of.iter().enumerate();
            of.filter(|(at, _)| mask >> (at % 16) & 1 == 1).map(|(_, n)| *n).collect()
        };
        for step in steps {
            let mut new = |known: &Known, mask, added: u8| -> BTreeSet<u32> {
                let mut there = keep(&known.there, mask);
                for _ in 0..added {
                    there.insert(next);
                    next += 1;
                }
                there
            };
            let at = |engine: &Engine| engine.info("chat/1@latest").map(|s| s.id.to_string());
            match step {
                Step::Save(mask, added) => {
                    let there = new(&known, mask, added);
                    save(&engine, there.clone());
                    known.owed.extend(known.there.difference(&there).copied());
                    known.there = there;
                }
                Step::Undo(mask, added) => {
                    let there = new(&known, mask, added);
                    said(&engine, there.clone(), "undo");
                    known.there = there;
                }
                Step::Clear => {
                    said(&engine, [], "clear");
                    known = Known::default();
                }
                Step::Again(mask) => {
                    let all: BTreeSet<u32> = (0..next).collect();
                    known.there.extend(keep(&all, mask));
                    save(&engine, known.there.clone());
                }
                Step::Rollback(steps) => {
                    let back = engine.rollback("chat/1", &dalsegno::Back::Steps(steps));
                    let Ok(back) = back else { continue };
                    let plan = back.apply().unwrap().plan;
                    // Where it is in that state already, nothing is done.
                    if plan.changes {
                        known = then[&plan.snapshot.unwrap().id.to_string()].clone();
                    }
                }
                Step::TakeBack => {
                    let Ok(undo) = engine.undo("chat/1") else { continue };
                    let plan = undo.apply().unwrap().plan;
                    // Where it is in that state already, nothing is done.
                    if plan.changes {
                        known = then[&plan.snapshot.unwrap().id.to_string()].clone();
                    }
                }
                Step::Restore => match engine.guard_restore("chat/1", None) {
                    Ok(restore) => {
                        restore.apply().unwrap();
                        known.there.append(&mut known.owed);
                    }
                    Err(error) if disordered(&error) => return Ok(()),
                    Err(error) => {
                        prop_assert_eq!(error.kind(), ErrorKind::NotFound, "{}", error);
                    }
                },
                Step::Reopen => {
                    engine.close().unwrap();
                    engine = engine_on(Arc::clone(&store));
                }
            }
            known.owed = known.owed.difference(&known.there).copied().collect();
            if let Ok(id) = at(&engine) {
                let stored = messages(&engine);
                let there: BTreeSet<u64> = known.there.iter().map(|n| u64::from(*n)).collect();
                prop_assert_eq!(stored.len(), there.len(), "none twice");
                prop_assert_eq!(stored.into_iter().collect::<BTreeSet<u64>>(), there);
                then.insert(id, known.clone());
            }
        }
        if engine.info("chat/1@latest").is_ok() {
            let back = match restore(&engine) {
                Err(error) if disordered(&error) => return Ok(()),
                back => back.unwrap(),
            };
            let back: BTreeSet<u64> = back.into_iter().collect();
            let owed: BTreeSet<u64> = known.there.union(&known.owed).map(|n| u64::from(*n)).collect();
            prop_assert_eq!(back, owed);
        }
    }
}
