//! What was put back is no change.

use std::fs;

use dalsegno::Verb;
use dalsegno_watch::{Event, file_of_session, put_back, redo, undo};

use crate::common::{House, Running};

#[track_caller]
fn is_put_back(watch: &mut Running, verb: Verb, session: &str) {
    let event = watch.wait(|event| matches!(event, Event::PutBack { .. } | Event::Saved { .. }));
    let told = matches!(&event, Event::PutBack { verb: it, session: of, .. } if (*it, of.as_str()) == (verb, session));
    assert!(told, "{event:?}");
}

#[test]
fn a_file_that_was_put_back_is_not_kept_again() {
    let house = House::new();
    let mut watch = house.watch();
    for text in ["[1]", "[2]"] {
        house.write("a.json", text);
        watch.saved("a");
    }
    let file = house.path("a.json");
    house
        .engine
        .put_back("a@-1")
        .to_file(&file)
        .apply()
        .unwrap();
    is_put_back(&mut watch, Verb::Restore, "a");
    assert_eq!(fs::read(&file).unwrap(), b"[1]");
    house.engine.undo("a").unwrap().apply().unwrap();
    is_put_back(&mut watch, Verb::Undo, "a");
    house.engine.redo("a").unwrap().apply().unwrap();
    is_put_back(&mut watch, Verb::Redo, "a");
    watch.stop();
    // Neither is it when the watch begins anew, but what comes then is.
    let (summary, _) = house.once(House::settings());
    assert_eq!((summary.saved, summary.unchanged), (0, 1));
    house.write("a.json", "[3]");
    assert_eq!(house.once(House::settings()).0.saved, 1);
    // The program itself went back there: that is a change like any other.
    house.write("a.json", "[1]");
    assert_eq!(house.once(House::settings()).0.saved, 1);
}

#[test]
fn json_lines_are_put_back_as_lines_and_undone() {
    let house = House::new();
    let mut watch = house.watch();
    let (one, two) = (
        "{\"n\":1}\r\n\n{\"n\":2}",
        "{\"n\":1}\r\n\n{\"n\":2}\n{\"n\":3}\n",
    );
    for text in [one, two] {
        house.write("x/log.jsonl", text);
        watch.saved("x/log.jsonl");
    }
    let file = house.path("x/log.jsonl");
    let relative = file_of_session(&house.engine, "x/log.jsonl").unwrap();
    assert_eq!(house.path(relative.to_str().unwrap()), file);
    let report = put_back(&house.engine, "x/log.jsonl@-1", &file)
        .unwrap()
        .apply()
        .unwrap();
    assert!(report.plan.changes && report.safety.is_some());
    assert_eq!(fs::read_to_string(&file).unwrap(), one);
    is_put_back(&mut watch, Verb::Restore, "x/log.jsonl");
    undo(&house.engine, "x/log.jsonl").unwrap().apply().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), two);
    redo(&house.engine, "x/log.jsonl").unwrap().apply().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), one);
    undo(&house.engine, "x/log.jsonl").unwrap().apply().unwrap();
    // A torn file is kept beside, and comes back.
    house.write("x/log.jsonl", "{\"n\":1}\n{\"n\"");
    watch.wait(|event| matches!(event, Event::Torn { .. }));
    let report = put_back(&house.engine, "x/log.jsonl@latest", &file)
        .unwrap()
        .apply()
        .unwrap();
    let kept = report.kept_beside.unwrap();
    assert_eq!(fs::read_to_string(&kept).unwrap(), "{\"n\":1}\n{\"n\"");
    assert_eq!(fs::read_to_string(&file).unwrap(), two);
    undo(&house.engine, "x/log.jsonl").unwrap().apply().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"n\":1}\n{\"n\"");
    // Also where the file is gone.
    fs::remove_file(&file).unwrap();
    put_back(&house.engine, "x/log.jsonl@latest", &file)
        .unwrap()
        .apply()
        .unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), two);
    undo(&house.engine, "x/log.jsonl").unwrap().apply().unwrap();
    assert!(!file.exists());
}

#[test]
fn what_was_put_back_is_known_also_when_more_was_put_back_since() {
    let house = House::new();
    let file = house.path("a.json");
    for text in ["[1]", "[2]", "[3]"] {
        house.write("a.json", text);
        house.once(House::settings());
    }
    for back in ["a@-1", "a@-2"] {
        house.engine.put_back(back).to_file(&file).apply().unwrap();
    }
    // As a reader finds it that was a little late.
    house.write("a.json", "[2]");
    let (summary, events) = house.once(House::settings());
    assert_eq!((summary.saved, summary.unchanged), (0, 1), "{events:?}");
    house.write("a.json", "[4]");
    house.once(House::settings());
    house.write("a.json", "[2]");
    assert_eq!(house.once(House::settings()).0.saved, 1);
}

#[test]
fn a_store_cannot_lead_out_of_the_folder() {
    let house = House::new();
    let save = house.engine.save_json("evil", "1");
    let place = serde_json::json!({"folder": "/", "file": "../../etc/x.json"});
    save.meta("watch", place).commit().unwrap();
    let error = file_of_session(&house.engine, "evil").unwrap_err();
    assert!(error.to_string().contains("not below a folder"), "{error}");
    house.engine.save_json("plain", "1").commit().unwrap();
    let error = file_of_session(&house.engine, "plain").unwrap_err();
    assert_eq!(error.kind(), dalsegno::ErrorKind::NotFound);
}
