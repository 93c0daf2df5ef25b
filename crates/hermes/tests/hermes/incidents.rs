//! What has happened to people's chats, and must not again.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dalsegno::ErrorKind;
use dalsegno_hermes::{
    DELETED, Limits, Recommendation, Saving, Source, generations, inspect, preview, recover,
    recover_all, recover_from, save,
};
use jiff::SignedDuration;

use crate::common::{House, session};

/// A session of these messages.
fn of(messages: &[&str]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({"title": "t", "messages": messages})).unwrap()
}

fn messages(path: &Path) -> Vec<String> {
    let session: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    serde_json::from_value(session["messages"].clone()).unwrap()
}

/// Starts the program: everything is put right, and then there is nothing to do.
fn start(house: &House) -> u64 {
    let planned = preview(house.folder()).unwrap();
    let scan = recover_all(house.folder()).unwrap();
    assert_eq!(planned.details.len() as u64, scan.restored);
    assert!(scan.skipped.is_empty(), "{:?}", scan.skipped);
    let names = house.names();
    assert_eq!(recover_all(house.folder()).unwrap().restored, 0);
    assert_eq!(house.names(), names);
    scan.restored
}

#[test]
fn a_thousand_then_50_then_30_and_the_thousand_are_still_there() {
    let house = House::new();
    let path = house.path("1.json");
    for count in [1000, 50, 30] {
        save(&path, &session(count)).unwrap();
    }
    assert_eq!(house.read("1.json.bak"), session(1000));
    assert_eq!(
        house.names(),
        ["1.json", "1.json.bak"],
        "the 50 are all in the backup"
    );
    assert_eq!(start(&house), 1);
    assert_eq!(house.read("1.json"), session(1000));
}

#[test]
fn a_thousand_then_50_others_then_30_and_nothing_of_either_is_lost() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(1000)).unwrap();
    let mut fifty = vec!["message 0", "message 1"];
    let new: Vec<String> = (0..48).map(|n| format!("new {n}")).collect();
    fifty.extend(new.iter().map(String::as_str));
    save(&path, &of(&fifty)).unwrap();
    let saved = save(&path, &of(&fifty[..30])).unwrap();
    assert_eq!(saved.backup, Some(house.path("1.json.bak")));
    assert_eq!(fs::read(saved.generation.unwrap()).unwrap(), of(&fifty));
    assert_eq!(house.read("1.json.bak"), session(1000));
    assert_eq!(start(&house), 1);
    let all = messages(&path);
    assert_eq!(all.len(), 1048);
    assert_eq!(all[..1000], {
        let all: Vec<String> = (0..1000).map(|n| format!("message {n}")).collect();
        all
    });
    assert_eq!(all[1000..], new);
}

#[test]
fn ten_then_eight_then_nine_and_the_newer_turn_stays() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(10)).unwrap();
    save(&path, &session(8)).unwrap();
    let mut nine: Vec<String> = (0..8).map(|n| format!("message {n}")).collect();
    nine.push("the newer turn".to_owned());
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    save(&path, &of(&nine)).unwrap();
    assert_eq!(house.read("1.json.bak"), session(10));

    let scan = recover_all(house.folder()).unwrap();
    assert_eq!((scan.restored, scan.skipped.len()), (1, 0));
    let Some(Source::Merge { messages: count }) = scan.details[0].from.clone() else {
        panic!("{:?}", scan.details);
    };
    assert_eq!(count.to_i64(), 11);
    let all = messages(&path);
    assert_eq!(all.len(), 11);
    assert_eq!(all[10], "the newer turn");
    assert_eq!(all[9], "message 9");
    assert_eq!(house.displaced("1.json"), [of(&nine)]);
    assert_eq!(start(&house), 0);
}

#[test]
fn a_wiped_session_that_went_on_has_both() {
    let house = House::new();
    let path = house.path("1.json");
    house.write("1.json.bak", session(1000));
    house.write("1.json", of(&["where did everything go?"]));
    assert_eq!(start(&house), 1);
    let all = messages(&path);
    assert_eq!(all.len(), 1001);
    assert_eq!(all[1000], "where did everything go?");
}

#[test]
fn where_nobody_can_tell_both_are_kept_and_the_newer_one_stays() {
    let house = House::new();
    let (live, bak) = (of(&["b", "a", "new"]), of(&["a", "b", "c", "d"]));
    let path = house.write("1.json", &live);
    house.write("1.json.bak", &bak);
    let scan = recover_all(house.folder()).unwrap();
    assert_eq!((scan.restored, scan.skipped.len()), (0, 1));
    let why = scan.skipped[0].error.to_string();
    assert!(
        why.contains("cannot be decided") && why.contains("another order"),
        "{why}"
    );
    assert_eq!(
        (house.read("1.json"), house.read("1.json.bak")),
        (live.clone(), bak.clone())
    );
    assert_eq!(preview(house.folder()).unwrap().skipped.len(), 1);
    // Who asks for this one gets the backup, and what stood there is kept.
    assert!(recover(&path).unwrap().restored);
    assert_eq!(house.read("1.json"), bak);
    assert_eq!(house.displaced("1.json"), [live]);
}

#[test]
fn clear_undo_and_compression_stay_done() {
    for (intent, after) in [
        ("clear", session(0)),
        ("undo", session(8)),
        ("compress", of(&["what was said so far", "message 9"])),
    ] {
        let house = House::new();
        let path = house.path("1.json");
        save(&path, &session(10)).unwrap();
        let saved = Saving::new().intent(intent).save(&path, &after).unwrap();
        let kept = saved.generation.unwrap();
        assert_eq!(fs::read(&kept).unwrap(), session(10));
        assert_eq!(
            generations(&path).unwrap()[0].intent.as_deref(),
            Some(intent)
        );
        assert_eq!(start(&house), 0, "{intent}");
        assert_eq!(house.read("1.json"), after);
        // Also for a program that looks at nothing but the two files.
        assert_eq!(inspect(&path).unwrap().recommend, Recommendation::NoAction);
        // And where the file is torn afterwards.
        fs::write(&path, "{\"messages\": [").unwrap();
        assert_eq!(start(&house), 1);
        assert_eq!(house.read("1.json"), after, "{intent}");
        // Only who asks for it gets it back, and a start leaves that as it is.
        assert!(recover_from(&path, &kept).unwrap().restored);
        assert_eq!(house.read("1.json"), session(10));
        assert_eq!(start(&house), 0);
        assert_eq!(house.read("1.json"), session(10));
    }
}

#[test]
fn an_accident_before_an_undo_is_put_right_and_the_undo_stays() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(10)).unwrap();
    save(&path, &of(&["message 0", "message 1", "a", "b"])).unwrap();
    let undone = of(&["message 0", "message 1", "a"]);
    Saving::new().intent("undo").save(&path, &undone).unwrap();
    assert_eq!(house.read("1.json"), undone);
    assert_eq!(start(&house), 1);
    let all = messages(&path);
    assert_eq!(all.len(), 11, "{all:?}");
    assert!(all.contains(&"message 9".to_owned()) && all.contains(&"a".to_owned()));
    assert!(!all.contains(&"b".to_owned()), "{all:?}");
}

#[test]
fn a_clear_after_an_accident_clears_that_too() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(10)).unwrap();
    save(&path, &session(2)).unwrap();
    let clear = Saving::new().intent("clear");
    clear.save(&path, &session(0)).unwrap();
    assert_eq!(start(&house), 0);
    save(&path, &of(&["anew"])).unwrap();
    assert_eq!(start(&house), 0);
    assert_eq!(messages(&path), ["anew"]);
    // Also where the file was torn when it was cleared.
    fs::write(&path, "torn").unwrap();
    clear.save(&path, &session(0)).unwrap();
    assert_eq!(start(&house), 0);
    assert_eq!(house.read("1.json"), session(0));
}

#[test]
fn an_accident_after_a_compression_brings_back_only_what_the_accident_took() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(10)).unwrap();
    let summary = of(&["summary", "x", "y"]);
    let compress = Saving::new().intent("compress to a summary");
    compress.save(&path, &summary).unwrap();
    save(&path, &of(&["summary"])).unwrap();
    save(&path, &of(&["summary", "z"])).unwrap();
    assert_eq!(start(&house), 1);
    assert_eq!(messages(&path), ["summary", "x", "y", "z"]);
}

#[test]
fn torn_emptied_and_nul_files_come_back_from_the_newest_good_state() {
    for torn in [&b""[..], b"{\"messages\": [\"mess", &[0; 4096], b"null"] {
        let house = House::new();
        let path = house.path("1.json");
        save(&path, &session(10)).unwrap();
        save(&path, &of(&["message 0", "new 1", "new 2"])).unwrap();
        save(&path, &of(&["message 0", "new 1"])).unwrap();
        fs::write(&path, torn).unwrap();
        assert_eq!(start(&house), 1);
        let all = messages(&path);
        assert_eq!(all.len(), 12, "{all:?}");
        assert_eq!(all[10..], ["new 1", "new 2"]);

        // The backup is damaged as well.
        let house = House::new();
        let path = house.path("1.json");
        save(&path, &session(10)).unwrap();
        save(&path, &of(&["message 0", "new 1", "new 2"])).unwrap();
        save(&path, &of(&["message 0", "new 1"])).unwrap();
        fs::write(&path, torn).unwrap();
        fs::write(house.path("1.json.bak"), torn).unwrap();
        assert_eq!(inspect(&path).unwrap().recommend, Recommendation::Restore);
        assert_eq!(start(&house), 1);
        assert_eq!(messages(&path), ["message 0", "new 1", "new 2"]);
        // Or gone.
        fs::remove_file(house.path("1.json.bak")).unwrap();
        fs::write(&path, torn).unwrap();
        assert_eq!(start(&house), 1);
        assert_eq!(messages(&path), ["message 0", "new 1", "new 2"]);
    }
}

#[test]
fn a_deleted_session_stays_deleted() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(10)).unwrap();
    save(&path, &session(2)).unwrap();
    save(&path, &of(&["message 0"])).unwrap();
    assert!(Saving::new().delete(&path).unwrap());
    assert!(!Saving::new().delete(&path).unwrap());
    let gone = |house: &House| !house.path("1.json").exists() && !house.path("1.json.bak").exists();
    assert!(gone(&house));
    assert_eq!(start(&house), 0);
    assert!(!recover(&path).unwrap().restored);
    assert!(gone(&house), "also when it is asked for");

    // A new one of the same name has nothing of it, whatever happens to it.
    save(&path, &of(&["anew", "and on"])).unwrap();
    assert_eq!(start(&house), 0);
    fs::write(&path, "").unwrap();
    assert_eq!(start(&house), 0);
    save(&path, &of(&["anew", "and on"])).unwrap();
    save(&path, &of(&["anew"])).unwrap();
    assert_eq!(start(&house), 1);
    assert_eq!(messages(&path), ["anew", "and on"]);
    // Only by name.
    let all = generations(&path).unwrap();
    let deleted = all.iter().find(|it| it.intent.as_deref() == Some(DELETED));
    assert!(
        recover_from(&path, &deleted.unwrap().path)
            .unwrap()
            .restored
    );
}

#[test]
fn a_session_that_another_program_deleted_stays_deleted_too() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(10)).unwrap();
    save(&path, &session(2)).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(start(&house), 0);
    assert!(!path.exists());
}

#[test]
fn no_more_is_kept_than_is_to_be_and_what_was_meant_stays_known() {
    let house = House::new();
    let path = house.path("1.json");
    let saving = |intent: Option<&str>| {
        let limits = Limits {
            generations: 2,
            ..Limits::default()
        };
        let saving = Saving::new().limits(limits);
        match intent {
            Some(intent) => saving.intent(intent),
            None => saving,
        }
    };
    saving(None).save(&path, &session(100)).unwrap();
    // Something is lost by accident, and is found out later.
    saving(None)
        .save(&path, &of(&["a", "b", "c", "d", "e", "f"]))
        .unwrap();
    saving(None)
        .save(&path, &of(&["b", "c", "d", "e", "f"]))
        .unwrap();
    assert_eq!(generations(&path).unwrap().len(), 1);
    for undone in [
        &["b", "c", "d", "e"][..],
        &["b", "c", "d"],
        &["b", "c"],
        &["b"],
    ] {
        saving(Some("undo")).save(&path, &of(undone)).unwrap();
    }
    let all = generations(&path).unwrap();
    let plain = all.iter().filter(|it| it.intent.is_none());
    assert!(plain.count() <= 2);
    let meant: Vec<u64> = all
        .iter()
        .filter(|it| it.intent.is_some())
        .map(|it| it.size)
        .collect();
    assert_eq!(meant.len(), 4);
    assert_eq!(meant.iter().filter(|size| **size > 0).count(), 2);
    // What was undone does not come back, though nothing says any more what the first of them took.
    recover_all(house.folder()).unwrap();
    assert!(
        !messages(&path).contains(&"f".to_owned()),
        "{:?}",
        messages(&path)
    );
}

#[test]
fn what_is_too_old_goes_with_the_next_save_or_when_the_program_starts() {
    let house = House::new();
    let path = house.path("1.json");
    house.write("1.json", of(&["a"]));
    let old = jiff::Timestamp::now() - SignedDuration::from_hours(31 * 24);
    let young = jiff::Timestamp::now() - SignedDuration::from_hours(29 * 24);
    for at in [old, young] {
        let at = at.strftime("%Y%m%dT%H%M%S.%6fZ");
        house.write(&format!("1.json.kept-{at}"), session(4));
        house.write(&format!("gone.json.kept-{at}~deleted"), session(4));
    }
    recover_all(house.folder()).unwrap();
    let gone = house.path("gone.json");
    assert_eq!(generations(&gone).unwrap().len(), 1);
    // How much is kept of one that is there, its own saves know.
    assert_eq!(generations(&path).unwrap().len(), 2);
    save(&path, &session(0)).unwrap();
    assert_eq!(generations(&path).unwrap().len(), 1);
}

#[test]
fn an_intent_that_takes_nothing_keeps_nothing() {
    let house = House::new();
    let path = house.path("1.json");
    save(&path, &session(2)).unwrap();
    let saving = Saving::new().intent("turn");
    saving.save(&path, &session(3)).unwrap();
    assert_eq!(house.names(), ["1.json"]);
    // The same number, but not the same.
    saving.save(&path, &of(&["x", "y", "z"])).unwrap();
    assert_eq!(generations(&path).unwrap().len(), 1);
}

#[test]
fn a_backup_of_before_is_kept_when_a_longer_one_takes_its_place() {
    let house = House::new();
    let path = house.path("1.json");
    house.write("1.json.bak", of(&["only here", "a"]));
    let hour = SystemTime::now() - Duration::from_secs(3600);
    fs::File::open(house.path("1.json.bak"))
        .unwrap()
        .set_modified(hour)
        .unwrap();
    house.write("1.json", session(5));
    save(&path, &session(1)).unwrap();
    assert_eq!(house.read("1.json.bak"), session(5));
    let kept = generations(&path).unwrap();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].at < jiff::Timestamp::now() - SignedDuration::from_mins(50));
    assert_eq!(fs::read(&kept[0].path).unwrap(), of(&["only here", "a"]));
}

#[test]
fn what_is_no_kept_state_is_not_put_back() {
    let house = House::new();
    let path = house.write("1.json", session(3));
    let other = house.write("2.json", session(5));
    let error = recover_from(&path, &other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    house.write("1.json.bak", "torn");
    let error = recover_from(&path, &house.path("1.json.bak")).unwrap_err();
    assert!(error.to_string().contains("cannot be put back"), "{error}");
    let error = Saving::new()
        .intent(" ")
        .save(&path, &session(1))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(house.read("1.json"), session(3));
}
