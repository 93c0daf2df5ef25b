//! What `sonoractl snapshot restore` takes, what it refuses before anything is changed, and what it says then.

use std::path::Path;

use dalsegno_scripted as scripted;
use dalsegno_sonora::SnapshotFile;
use serde_json::{Value, json};

use crate::common::House;
use crate::stage::{Stage, ctl, refused};

const RESTORE: [&str; 2] = ["snapshot", "restore"];

fn restore(house: &House, arguments: &[&str]) -> crate::common::Ran {
    ctl(house, &[&RESTORE[..], arguments].concat())
}

/// A file of guild 7, with a queue alone.
fn file(path: &Path, track: Value) {
    let mut file = SnapshotFile::new(7, 1_732_200_000.5);
    file.data
        .insert("queue".to_owned(), json!({"upcoming": [track]}));
    file.save(path).unwrap();
}

#[test]
fn a_component_that_is_named_and_not_there_is_refused() {
    let house = House::new();
    file(&house.path("s.json"), json!({"track": "t"}));
    let before = house.contents();
    for (words, part) in [
        (
            "filters",
            "'s.json' has no filters, so nothing was changed; it has queue, current",
        ),
        ("queue,autoplay", "has no autoplay"),
        ("player", "has no settings"),
    ] {
        let ran = restore(&house, &["s.json", "--components", words]);
        refused(&ran, 2, part);
    }
    assert_eq!(house.contents(), before);
    let ran = restore(&house, &["s.json", "--components", "queue"]).ok();
    ran.says("restored: queue\n");
    house.save("sonora/8", "{}");
    refused(
        &restore(&house, &["sonora/8@latest"]),
        2,
        "'sonora/8@latest'",
    );
}

#[test]
fn a_place_in_the_history_needs_a_guild() {
    let house = House::new();
    for tracks in 1..4 {
        let queue = json!({"queue": {"upcoming": vec![json!({"track": "t"}); tracks]}});
        house.save("sonora/5", &queue.to_string());
    }
    for (place, tracks) in [
        ("@latest", "3 tracks"),
        ("@-2", "1 track"),
        ("latest", "3 tracks"),
    ] {
        let info = ["snapshot", "info", place, "--guild-id", "5"];
        ctl(&house, &info).ok().says(tracks);
    }
    let ran = ctl(&house, &["snapshot", "info", "@-2"]);
    refused(&ran, 2, "Give --guild-id, or sonora/GUILD@-2");
    let ran = ctl(&house, &["snapshot", "info", "@-9", "--guild-id", "5"]);
    refused(&ran, 4, "has only 3 states");
    refused(
        &ctl(&house, &["snapshot", "info", ""]),
        2,
        "the name is empty",
    );
}

#[test]
fn a_guild_that_nobody_knows_is_refused_unless_it_is_said_to_be_new() {
    let house = House::new();
    file(&house.path("s.json"), json!({"track": "t"}));
    let ran = restore(&house, &["s.json", "--guild-id", "999"]);
    refused(&ran, 4, "knows guild 999: there is none yet");
    house.save("sonora/5", &json!({"queue": {"upcoming": []}}).to_string());
    house.save("sonora/6", &json!({"queue": {"upcoming": []}}).to_string());
    let of_five = "sonora/5@latest";
    for more in [None, Some("--dry-run")] {
        let words = [of_five, "--guild-id", "999"].into_iter().chain(more);
        let ran = restore(&house, &words.collect::<Vec<_>>());
        refused(
            &ran,
            4,
            "knows guild 999: there are 5, 6; nothing was changed",
        );
        ran.explains("--new");
    }
    refused(
        &restore(&house, &[of_five, "--guild-id", "0"]),
        2,
        "guild's id",
    );
    assert!(!house.contents().contains("sonora/999"));
    restore(&house, &[of_five, "--guild-id", "6"]).ok();
    restore(&house, &[of_five, "--guild-id", "999", "--new"]).ok();
    // Known by now.
    restore(&house, &[of_five, "--guild-id", "999"]).ok();
    // The snapshot's own guild is no guess.
    restore(&house, &["s.json"]).ok();
}

#[test]
fn the_newest_state_is_named_also_where_nothing_changed() {
    let mut stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    stage.silence(1);
    stage.ctl(&["snapshot", "save", "--name", "quiet"]).ok();
    let quiet = [&RESTORE[..], &["quiet"]].concat();
    let check = |stage: &Stage| {
        let done = stage.json(&quiet);
        let newest = stage.json(&["snapshot", "info", "sonora/1@latest"]);
        assert_eq!(done["head"]["id"], newest["snapshot"]["id"], "{done}");
        assert_ne!(done["head"]["kind"], "safety", "{done}");
    };
    check(&stage);
    stage.stop();
    check(&stage);
    check(&stage);
}

#[test]
fn a_restore_that_the_node_refuses_names_the_guild_and_what_it_plays() {
    let stage = Stage::playing(&[1]);
    stage.ctl(&["snapshot", "save", "--name", "party"]).ok();
    stage.silence(1);
    let refuses = || scripted::Rule::new(scripted::Fault::Status(400)).on("PATCH", "**");
    // The track by its own name, and by the one that it has there; then what was before is taken.
    stage.node.script(refuses().times(2));
    let ran = stage.ctl(&[&RESTORE[..], &["party"]].concat());
    refused(&ran, 2, "refuses it");
    ran.explains("the player of guild 1 is as it was");
    assert_eq!(stage.plays(1), None);
    stage.node.script(refuses());
    let ran = stage.ctl(&[&RESTORE[..], &["party"]].concat());
    refused(
        &ran,
        2,
        "guild 1: what was before could not be put back either",
    );
    assert!(!ran.err.contains("as it was"), "{ran}");
}

#[test]
fn an_error_about_a_file_names_it() {
    let house = House::new();
    file(&house.path("odd.json"), json!({"track": "t", "uri": {}}));
    refused(&restore(&house, &["odd.json"]), 2, "odd.json: ");
    house.write("large.json", vec![b' '; 11 << 20]);
    refused(
        &restore(&house, &["large.json"]),
        2,
        "large.json has 11534336 bytes; the limit is 10485760 bytes",
    );
}
